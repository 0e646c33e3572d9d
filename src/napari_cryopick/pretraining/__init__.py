"""Networks that learn from simulated micrographs: nobody has to label anything."""
