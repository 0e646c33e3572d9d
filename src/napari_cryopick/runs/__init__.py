"""Run folders: written, read, reported; nobody else knows their format."""
