"""Picks: the particle centres of one micrograph, and of many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Source(StrEnum):
    """Who placed a pick; `CLASS` says that it belongs to a class that a person has marked."""

    PERSON = "person"
    MODEL = "model"
    FILE = "file"
    CLASS = "class"


class Status(StrEnum):
    """What a pick is good for."""

    OK = "ok"
    BORDER = "border"
    CONTAMINATION = "contamination"
    DELETED = "deleted"


_WORD = f"U{max(map(len, [*Source, *Status]))}"


@dataclass(frozen=True, eq=False)
class Picks:
    """A table of particle centres in one micrograph.

    Attributes
    ----------
    positions
        (n, 2) float array of (y, x) in micrograph pixels; pixel centres are at integers.
    scores
        (n,) figures of merit in [0, 1]; NaN where there is none.
    sources, statuses
        (n,) arrays of `Source` and `Status` values.
    extra
        Further columns by name, (n,) each, carried along untouched.
    """

    positions: NDArray[np.float64]
    scores: NDArray[np.float64]
    sources: NDArray[np.str_]
    statuses: NDArray[np.str_]
    extra: Mapping[str, NDArray] = field(default_factory=dict)

    @classmethod
    def at(
        cls,
        positions: ArrayLike,
        scores: ArrayLike | float = np.nan,
        source: str = Source.PERSON,
        status: ArrayLike | str = Status.OK,
        extra: Mapping[str, NDArray] | None = None,
    ) -> Picks:
        """Make a table from (n, 2) positions (y, x); single values hold for every pick."""
        positions = np.asarray(positions, dtype=float).reshape(-1, 2)
        n = len(positions)
        return cls(
            positions,
            np.broadcast_to(np.asarray(scores, dtype=float), n).copy(),
            np.broadcast_to(np.asarray(source, dtype=_WORD), n).copy(),
            np.broadcast_to(np.asarray(status, dtype=_WORD), n).copy(),
            dict(extra or {}),
        )

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, rows: NDArray) -> Picks:
        """Return the rows of a boolean mask or an index array."""
        extra = {name: column[rows] for name, column in self.extra.items()}
        return Picks(
            self.positions[rows], self.scores[rows], self.sources[rows], self.statuses[rows], extra
        )

    def with_status(self, *statuses: str) -> Picks:
        """Return the picks of these statuses."""
        return self[np.isin(self.statuses, statuses)]


@dataclass(frozen=True, eq=False)
class PickSet:
    """The picks of many micrographs.

    Attributes
    ----------
    by_micrograph
        Picks by micrograph name as it is in the file, often a path relative to some other folder;
        `napari_cryopick.io.match_picks` finds the micrographs meant.
    pixel_size_angstrom
        Edge of a pixel in Å, or None where it is unknown or not the same for all.
    optics
        Columns of RELION's optics table by name, carried along untouched.
    diameter_angstrom
        Diameter of the particles in Å, or None where unknown.
    """

    by_micrograph: Mapping[str, Picks]
    pixel_size_angstrom: float | None = None
    optics: Mapping[str, NDArray] = field(default_factory=dict)
    diameter_angstrom: float | None = None

    def __len__(self) -> int:
        """Return how many picks there are in all."""
        return sum(map(len, self.by_micrograph.values()))

    def with_status(self, statuses: Collection[str]) -> PickSet:
        """Return the picks of these statuses, under the same micrographs."""
        kept = {name: picks.with_status(*statuses) for name, picks in self.by_micrograph.items()}
        return replace(self, by_micrograph=kept)


def join_picks(tables: Sequence[Picks]) -> Picks:
    """Return the rows of all tables of one micrograph, with the further columns that all have."""
    shared = set.intersection(*(set(table.extra) for table in tables))
    names = "positions", "scores", "sources", "statuses"
    columns = {name: np.concatenate([getattr(each, name) for each in tables]) for name in names}
    extra = {name: np.concatenate([each.extra[name] for each in tables]) for name in shared}
    return Picks(**columns, extra=extra)


def flip_y(picks: PickSet, height_px: int) -> PickSet:
    """Turn picks upside down, for micrographs of this height whose last row is stored first."""
    turned = {
        name: replace(one, positions=flipped(one.positions, height_px))
        for name, one in picks.by_micrograph.items()
    }
    return replace(picks, by_micrograph=turned)


def flipped(positions: NDArray, height_px: int) -> NDArray[np.float64]:
    """Return (n, 2) positions (y, x) upside down."""
    return positions * (-1, 1) + (height_px - 1, 0)


def common_value(values: Iterable[float | None]) -> float | None:
    """Return the number that all agree on, or None where they differ or there is none."""
    different = set(values)
    value = different.pop() if len(different) == 1 else None
    return None if value is None else float(value)
