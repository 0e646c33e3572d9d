"""How far from the edges a person picks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from ..picks import Picks, Status
from ..ruler import BORDER

Key = TypeVar("Key")

WIDEST = 2.0
"""Half of the largest box that anybody takes, in diameters."""

ENOUGH = 10.0
"""Particles that must be missing along the edges before it is taken for a rule, not for chance."""


def kept_border(
    picks: Mapping[Key, Picks],
    shapes: Mapping[Key, tuple[int, int]],
    diameters_px: Mapping[Key, float],
) -> float:
    """Distance from the edges, in diameters, that a person keeps who has picked every particle.

    Those who extract particles in boxes leave out the ones whose box would leave the micrograph.
    Where nobody has done so it is `BORDER`.
    """
    least, missing = np.inf, 0.0
    for key, table in picks.items():
        positions = table.positions[table.statuses != Status.DELETED]
        if len(positions):
            far = np.minimum(positions, np.subtract(shapes[key], 1) - positions)
            least = min(least, float(far.min()) / diameters_px[key])
    for key, table in picks.items():
        inner = np.prod(np.subtract(shapes[key], 2 * min(least, 1e3) * diameters_px[key]).clip(1))
        missing += (table.statuses != Status.DELETED).sum() * (np.prod(shapes[key]) / inner - 1)
    meant = missing >= ENOUGH and least <= WIDEST
    return max(BORDER, round(least - 0.05, 2)) if meant else BORDER
