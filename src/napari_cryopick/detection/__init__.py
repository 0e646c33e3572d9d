"""From a micrograph to picks with calibrated scores, and the diameter estimate."""
