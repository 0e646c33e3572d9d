"""The picks of many micrographs, as one file holds them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from numpy.typing import NDArray

from ..picks import Picks


@dataclass(frozen=True, eq=False)
class PickSet:
    """The picks of many micrographs.

    Attributes
    ----------
    by_micrograph
        Picks by micrograph name, as it stands in the file: often a path, relative to who knows
        where. `match_picks` finds the micrographs meant.
    pixel_size_angstrom
        Of the micrographs, or None where unknown or not the same for all.
    optics
        Columns of RELION's optics table by name, carried along untouched.
    diameter_angstrom
        Of the particles, or None where unknown.
    """

    by_micrograph: Mapping[str, Picks]
    pixel_size_angstrom: float | None = None
    optics: Mapping[str, NDArray] = field(default_factory=dict)
    diameter_angstrom: float | None = None

    def __len__(self) -> int:
        """How many picks there are in all."""
        return sum(map(len, self.by_micrograph.values()))

    def with_status(self, statuses: Collection[str]) -> PickSet:
        """Only the picks of these statuses."""
        return replace(
            self,
            by_micrograph={
                name: picks.with_status(*statuses) for name, picks in self.by_micrograph.items()
            },
        )


def flip_y(picks: PickSet, height_px: int) -> PickSet:
    """Turn picks upside down, for micrographs of this height whose last row is stored first."""
    return replace(
        picks,
        by_micrograph={
            name: replace(one, positions=one.positions * (-1, 1) + (height_px - 1, 0))
            for name, one in picks.by_micrograph.items()
        },
    )
