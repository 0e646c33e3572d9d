"""Micrographs of a made-up particle, to try things on where there are no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .body import Body
from .invented import invented_body
from .micrographs import simulate
from .settings import MicrographSettings
from .structure import Symmetry, assemble

USUAL = {
    "shape": (1024, 1024),
    "pixel_size_angstrom": 1.6,
    "particles": 75,
    "defocus_angstrom": (12_000.0, 24_000.0),
    "debris": (1.0, 8.0),
    "ice_balls": 0.2,
    "empty_fields": 0.0,
    "carbon_edges": 0.0,
    "crystalline_ice": 0.0,
}


def example(diameter_angstrom: float = 160.0, symmetry: Symmetry = "D7") -> Body:
    """Always the same particle of a size and a point group."""
    points = assemble(diameter_angstrom, symmetry, np.random.default_rng(0))
    return invented_body(f"example ({symmetry})", points)


def simulate_example(
    output: Path, particle: Body | None = None, **settings: Any
) -> tuple[list[Path], Path]:
    """Write a few micrographs of `example`, or of another particle; settings go before `USUAL`.

    Returns
    -------
    The paths of the micrographs, and that of the STAR file of their whole, clean particles.
    """
    chosen = MicrographSettings(**{**USUAL, **settings})
    made = simulate([particle or example()], chosen, output)
    return [event.path for event in made], output / "particles.star"
