"""Simulated micrographs as sample data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ... import __version__
from .reader import LayerData, read_stacks

_COUNT = 4


def simulated() -> list[LayerData]:
    """Open a few simulated micrographs, made on first use and kept as temporary files."""
    from ...simulation.simulate import simulate_example

    folder = Path(tempfile.gettempdir()) / f"napari-cryopick-{__version__}-sample"
    if not (folder / "particles.star").exists():
        simulate_example(folder, count=_COUNT)
    return read_stacks(str(folder / "micrographs"))
