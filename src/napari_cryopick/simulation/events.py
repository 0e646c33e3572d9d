"""What a simulation tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Simulated:
    """One micrograph is written.

    Attributes
    ----------
    index, total
        Which it is, from 0 on, and how many there will be.
    path
        Of the micrograph.
    particles, flagged
        Whole and clean particles, which the STAR file holds, and those at the border or on
        contamination, which it leaves out.
    seconds
        Since the last one.
    """

    index: int
    total: int
    path: Path
    particles: int
    flagged: int
    seconds: float
