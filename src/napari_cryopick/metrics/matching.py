"""Match found with true positions, and the picks of one model with those of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ..picks import Picks


@dataclass(frozen=True, eq=False)
class Matches:
    """(k,) indices into two lists, ascending in `found`, none twice, and distances of the pairs."""

    found: NDArray[np.intp]
    truth: NDArray[np.intp]
    distances_px: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.found)


def match(
    found: ArrayLike, truth: ArrayLike, radius_px: float, scores: ArrayLike | None = None
) -> Matches:
    """Pair found with true positions, one-to-one and greedily.

    Without `scores` the closest pair goes first: the order in which picks are counted. With
    `scores` the best pick goes first and takes its nearest free particle: the order of a
    precision-recall curve, in which raising the threshold never changes the pairs that stay.
    Ties go to the smaller distance, then to the smaller index.

    Parameters
    ----------
    found, truth
        (n, 2) and (m, 2) positions (y, x) in pixels.
    radius_px
        Greatest distance of a pair, inclusive.
    scores
        (n,) figures of merit of `found`.
    """
    found, truth = (np.asarray(points, dtype=float).reshape(-1, 2) for points in (found, truth))
    pairs = cKDTree(found).sparse_distance_matrix(cKDTree(truth), radius_px, output_type="ndarray")
    i, j, distances = pairs["i"], pairs["j"], pairs["v"]
    priority = np.zeros(len(i)) if scores is None else -np.asarray(scores, dtype=float)[i]
    order = np.lexsort((j, i, distances, priority))
    rows = order[_first_of_both(i[order], j[order])]
    rows = rows[np.argsort(i[rows])]
    return Matches(i[rows], j[rows], distances[rows])


def _first_of_both(i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows, in order, whose i and whose j no earlier row has taken."""
    taken_i: set[int] = set()
    taken_j: set[int] = set()
    rows = []
    for row, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if a not in taken_i and b not in taken_j:
            taken_i.add(a)
            taken_j.add(b)
            rows.append(row)
    return np.array(rows, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Change:
    """(n, 2) positions (y, x) on one micrograph: picked by both models, the later, the earlier."""

    micrograph: str
    kept: NDArray[np.float64]
    gained: NDArray[np.float64]
    lost: NDArray[np.float64]

    def __len__(self) -> int:
        """Return how many picks differ."""
        return len(self.gained) + len(self.lost)


def changes(
    before: Mapping[str, Picks], after: Mapping[str, Picks], diameter_px: float
) -> list[Change]:
    """Compare by micrograph, most changes first; picks within half a diameter are the same."""
    none, found = Picks.at([]), []
    for name in sorted(before.keys() | after.keys()):
        earlier, later = (picks.get(name, none).positions for picks in (before, after))
        found.append(Change(name, *compare(earlier, later, diameter_px / 2)))
    return sorted(found, key=len, reverse=True)


def compare(
    before: NDArray, after: NDArray, radius_px: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return (k, 2) positions kept, gained and lost; kept moved by at most `radius_px`."""
    pairs = match(after, before, radius_px)
    kept, gained = after[pairs.found], np.delete(after, pairs.found, axis=0)
    return kept, gained, np.delete(before, pairs.truth, axis=0)
