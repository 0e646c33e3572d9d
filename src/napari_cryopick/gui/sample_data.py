"""Simulated micrographs to try things on."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .reader import LayerData, read_stacks

_COUNT, _SEED = 4, 1


def simulated() -> list[LayerData]:
    """Open a few simulated micrographs, made on first use and kept until the machine tidies up."""
    from ..simulation.settings import SimulationSettings
    from ..simulation.simple import simulate_fields, write_fields

    folder = Path(tempfile.gettempdir()) / f"napari-cryopick-sample-{_COUNT}-{_SEED}"
    if not (folder / "particles.star").exists():
        write_fields(folder, simulate_fields(SimulationSettings(count=_COUNT, seed=_SEED)))
    return read_stacks(str(folder / "micrographs"))
