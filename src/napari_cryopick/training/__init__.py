"""Training and self-training of networks."""
