"""Events and results of a classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..micrograph import Failed

Floats = NDArray[np.float64]
Images = NDArray[np.float32]


@dataclass(frozen=True)
class Cut:
    """The particles of the micrograph `index`, from 0, of `total` are cut out.

    Those `outside` are too near to an edge; `note` says what is unusual about the file.
    """

    index: int
    total: int
    path: Path
    particles: int
    outside: int
    note: str


@dataclass(frozen=True)
class Aligned:
    """So many of `total` alignments of a particle are done, over all passes."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Averaged:
    """Pass `number`, from 1, of `total` over the particles is done.

    `averages` are (K, h, w), `members` (K,) numbers of particles; both change until the end.
    """

    number: int
    total: int
    averages: Images
    members: NDArray[np.int_]


@dataclass(frozen=True, eq=False)
class Classes:
    """What is known of K classes, largest first; class 1 is the first.

    Attributes
    ----------
    averages
        (K, h, w) images with bright particles, in standard deviations of the background.
    pixel_size_angstrom
        Of the averages.
    diameter_angstrom
        Of the particles.
    members
        (K,) numbers of particles.
    mean_scores, mean_correlations
        (K,) means over the members of their score, NaN where none has one, and of their
        correlation with the average.
    expected_shares
        (K,) shares of true particles among the members, NaN where none has a score.
    spreads_angstrom
        (K,) root mean square distances of the members' centres from their picks.
    frc
        (K, r) Fourier ring correlations of two half averages that were aligned on their own from
        a coarse start, for 1 to r waves per box.
    resolutions_angstrom
        (K,) periods at which they fall below 0.5.
    """

    averages: Images
    pixel_size_angstrom: float
    diameter_angstrom: float
    members: NDArray[np.int_]
    mean_scores: Floats
    mean_correlations: Floats
    expected_shares: Floats
    spreads_angstrom: Floats
    frc: Floats
    resolutions_angstrom: Floats

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True, eq=False)
class Members:
    """Where the n picks of a micrograph went.

    Attributes
    ----------
    classes
        (n,) numbers from 1; 0 for picks that were not classified, whose other values are NaN.
    angles
        (n,) degrees by which the average is turned on the micrograph, counter-clockwise as it is
        shown with row 0 at the top.
    shifts_px
        (n, 2) ways from the pick to the centre of the particle, y and x in micrograph pixels.
    correlations
        (n,) correlations with the average.
    """

    classes: NDArray[np.int_]
    angles: Floats
    shifts_px: Floats
    correlations: Floats

    @classmethod
    def none(cls, count: int) -> Members:
        """Return so many picks of which none was classified."""
        nothing = np.full(count, np.nan)
        return cls(np.zeros(count, dtype=int), nothing, np.full((count, 2), np.nan), nothing)


@dataclass(frozen=True, eq=False)
class Classified:
    """The result: classes, and the members by micrograph, in the order of the picks."""

    classes: Classes
    members: Mapping[Path, Members]


ClassificationEvent = Cut | Failed | Aligned | Averaged | Classified
