"""Micrographs: pixels, and how large one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Micrograph:
    """One two-dimensional image of particles in ice.

    Attributes
    ----------
    pixels
        Array of shape (h, w), real, any dtype, possibly memory-mapped; row 0 is first in the file.
    pixel_size_angstrom
        Edge of one pixel in Å, or None where it is unknown.
    path
        The file it came from, or None for one made in memory.
    note
        What a user should know about how the file was read; empty where nothing is unusual.
    """

    pixels: NDArray
    pixel_size_angstrom: float | None = None
    path: Path | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name if self.path else "micrograph"

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape


@dataclass(frozen=True)
class Failed:
    """One micrograph could not be used, for a reason given in one sentence; the others go on."""

    index: int
    total: int
    path: Path
    message: str
