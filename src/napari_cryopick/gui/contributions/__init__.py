"""What napari.yaml names besides docks: readers, writers, sample data, commands."""
