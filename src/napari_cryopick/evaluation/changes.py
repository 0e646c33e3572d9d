"""What a later model picks that an earlier one did not, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..picks import Picks
from .matching import match


@dataclass(frozen=True, eq=False)
class Change:
    """Positions (y, x) on one micrograph: picked by both models, by the later, by the earlier."""

    micrograph: str
    kept: NDArray[np.float64]
    gained: NDArray[np.float64]
    lost: NDArray[np.float64]

    def __len__(self) -> int:
        """How many picks differ."""
        return len(self.gained) + len(self.lost)

    @property
    def words(self) -> str:
        """How many of what; all are kept where two models are one."""
        if not len(self):
            return f"{len(self.kept)} picks"
        return f"{len(self.kept)} kept, {len(self.gained)} gained, {len(self.lost)} lost"


def changes(
    before: Mapping[str, Picks], after: Mapping[str, Picks], diameter_px: float
) -> list[Change]:
    """Changes by micrograph, the greatest first; picks within half a diameter are the same."""
    names = sorted(before.keys() | after.keys())
    none = Picks.at([])
    found = []
    for name in names:
        earlier, later = (picks.get(name, none).positions for picks in (before, after))
        found.append(Change(name, *compare(earlier, later, diameter_px / 2)))
    return sorted(found, key=len, reverse=True)


def compare(
    before: NDArray, after: NDArray, radius_px: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Positions kept, gained and lost; what moved by at most `radius_px` is kept, at its new place.

    Parameters
    ----------
    before, after
        (n, 2) and (m, 2) positions (y, x) on one micrograph.
    """
    pairs = match(after, before, radius_px)
    kept, gained = after[pairs.found], np.delete(after, pairs.found, axis=0)
    return kept, gained, np.delete(before, pairs.truth, axis=0)
