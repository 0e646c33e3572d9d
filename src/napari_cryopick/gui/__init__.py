"""The docks of napari, its layers and what it opens and saves."""
