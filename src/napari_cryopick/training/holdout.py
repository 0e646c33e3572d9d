"""What complete labels are split into, and how near to the edges they go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..picks import Picks, Status
from ..settings import BORDER

Rows = tuple[float, float]
"""Half-open range of rows, in micrograph pixels."""

NOTHING: Rows = (0.0, 0.0)
EVERYTHING: Rows = (-np.inf, np.inf)

HELD_OUT_SHARE = 0.2
"""Share of completely labelled micrographs that only validate: the usual split of 80 to 20."""

BOTTOM_STRIP = 1 / 6
"""Share of each micrograph that is held out where there are fewer than five."""

WIDEST_BORDER = 2.0
"""Diameters; half of the largest box in common use."""

FEWEST_MISSING = 10.0
"""Particles that must be missing along the edges before it counts as a rule, not as chance."""


def hold_out(
    picks: Mapping[Path, Picks], heights_px: Mapping[Path, int], rng: np.random.Generator
) -> dict[Path, Rows]:
    """Choose the rows of completely labelled micrographs that no training step sees.

    Every fifth micrograph is held out if there are five, else a strip at the bottom of each.
    """
    if round(HELD_OUT_SHARE * len(picks)) < 1 or len(picks) < 1 / HELD_OUT_SHARE:
        return {path: ((1 - BOTTOM_STRIP) * heights_px[path], np.inf) for path in picks}
    chosen = rng.permutation(len(picks))[: round(HELD_OUT_SHARE * len(picks))]
    return {path: EVERYTHING if i in chosen else NOTHING for i, path in enumerate(picks)}


def kept_border(
    picks: Mapping[Path, Picks],
    shapes: Mapping[Path, tuple[int, int]],
    diameters_px: Mapping[Path, float],
) -> float:
    """Return the distance from the edges, in diameters, that complete labels keep.

    Particles too close to the edge to be boxed are often not annotated. Where the missing ones
    may be chance, it is `BORDER`.
    """
    particles = {path: table.positions[_kept(table)] for path, table in picks.items()}
    margins = [
        float(np.minimum(at, np.subtract(shapes[path], 1) - at).min()) / diameters_px[path]
        for path, at in particles.items()
        if len(at)
    ]
    margin = min(margins, default=np.inf)
    if margin > WIDEST_BORDER:
        return BORDER
    missing = 0.0
    for path, at in particles.items():
        inner = np.prod(np.subtract(shapes[path], 2 * margin * diameters_px[path]).clip(1))
        missing += len(at) * (np.prod(shapes[path]) / inner - 1)
    return max(BORDER, round(margin - 0.05, 2)) if missing >= FEWEST_MISSING else BORDER


def _kept(table: Picks) -> NDArray[np.bool_]:
    return np.asarray(table.statuses != Status.DELETED)
