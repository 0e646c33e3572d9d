"""Networks, their weights and cards, and where models are found."""
