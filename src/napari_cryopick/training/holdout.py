"""Which human labels no training step may see, so that they can judge the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import Picks, Status
from ..settings import BORDER

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


Key = TypeVar("Key")

SHARE = 0.2
STRIP = 1 / 6
ENOUGH_MICROGRAPHS = 5
FEWEST_PICKS = 16


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What is held out of one micrograph.

    Attributes
    ----------
    picks
        (n,) True for picks that judge instead of teaching.
    rows
        Half-open range of rows, in micrograph pixels, in which everything is held out.
    """

    picks: NDArray[np.bool_]
    rows: tuple[float, float] = (0.0, 0.0)

    def within(self, positions: NDArray) -> NDArray[np.bool_]:
        """Which of (n, 2) positions lie in the held-out rows."""
        return (positions[:, 0] >= self.rows[0]) & (positions[:, 0] < self.rows[1])


def nothing_held_out(picks: Picks) -> HeldOut:
    """All picks teach."""
    return HeldOut(np.zeros(len(picks), dtype=bool))


def hold_out(
    picks: Mapping[Key, Picks],
    heights_px: Mapping[Key, int],
    complete: bool,
    rng: np.random.Generator,
) -> dict[Key, HeldOut]:
    """Choose what to hold out.

    Of complete labels: every fifth micrograph if there are five, else a strip at the bottom of
    each. Of incomplete ones: a fifth of the picks, if there are sixteen; fewer must all teach.
    """
    if not picks:
        return {}
    if not complete:
        return _some_picks(picks, rng)
    if len(picks) < ENOUGH_MICROGRAPHS:
        strips = {key: ((1 - STRIP) * heights_px[key], np.inf) for key in picks}
        return {key: _rows(picks[key], rows) for key, rows in strips.items()}
    chosen = rng.permutation(len(picks))[: round(SHARE * len(picks))]
    whole, nothing = (-np.inf, np.inf), (0.0, 0.0)
    return {
        key: _rows(table, whole if i in chosen else nothing)
        for i, (key, table) in enumerate(picks.items())
    }


def _some_picks(picks: Mapping[Key, Picks], rng: np.random.Generator) -> dict[Key, HeldOut]:
    owners = [key for key, table in picks.items() for _ in range(len(table))]
    usable = np.concatenate([t.statuses != Status.DELETED for t in picks.values()] or [[]])
    held = np.zeros(len(owners), dtype=bool)
    candidates = rng.permutation(np.flatnonzero(usable))
    if len(candidates) >= FEWEST_PICKS:
        held[candidates[: round(SHARE * len(candidates))]] = True
    parts = np.split(held, np.cumsum([len(table) for table in picks.values()])[:-1])
    return {key: HeldOut(part) for key, part in zip(picks, parts, strict=True)}


def _rows(picks: Picks, rows: tuple[float, float]) -> HeldOut:
    held = HeldOut(np.zeros(len(picks), dtype=bool), rows)
    return HeldOut(held.within(picks.positions), rows)
