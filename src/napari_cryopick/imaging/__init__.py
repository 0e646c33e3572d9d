"""From the pixels of a micrograph to the image that a network sees."""
