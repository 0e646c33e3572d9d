"""Picks, labels and probability layers: made, edited, read back."""
