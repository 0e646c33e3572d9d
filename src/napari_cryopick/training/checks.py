"""Picks that cannot be learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import CryopickError
from ..picks import Picks, Status


def check_any(picks: Mapping[Path, Picks]) -> None:
    """Refuse to begin without a single particle.

    Raises
    ------
    CryopickError
        If nothing is picked that has not been deleted.
    """
    if not any((table.statuses != Status.DELETED).any() for table in picks.values()):
        raise CryopickError(
            "There are no picks to learn from; pick at least one particle, better ten "
            "(painted labels help, but tell no centres)."
        )


def check_inside(path: Path, picks: Picks, shape: tuple[int, int]) -> None:
    """Refuse picks of another micrograph or in other pixels.

    Raises
    ------
    CryopickError
        If any lie outside a micrograph of (h, w) pixels.
    """
    positions = picks.positions
    outside = ((positions < -0.5) | (positions > np.asarray(shape) - 0.5)).any(axis=1)
    if outside.any():
        y, x = positions[outside][0]
        raise CryopickError(
            f"{outside.sum()} of {len(picks)} picks lie outside {path} ({shape[1]} x {shape[0]} "
            f"pixels), the first at x = {x:g}, y = {y:g}; check that they belong to it and are in "
            "its pixels."
        )
