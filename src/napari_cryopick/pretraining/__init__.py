"""Networks trained on simulated micrographs: nobody has to label anything."""
