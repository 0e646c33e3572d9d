"""What each part of a recipe is worth: the same data, one part more from row to row."""
