"""Events of a prediction run and of a diameter estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..micrograph import Failed, Micrograph
from ..picks import Picks

if TYPE_CHECKING:
    from ..imaging.margins import Margins


@dataclass(frozen=True, eq=False)
class Maps:
    """(h, w) probabilities to lie on a particle, to be the centre of one, to lie on contamination.

    There are `scale` map pixels per micrograph pixel, and a micrograph point p lies at
    ``(p + 0.5) * scale - 0.5``. Where `margins` say that there is no image, all are 0.
    """

    area: NDArray[np.float32]
    centre: NDArray[np.float32]
    contamination: NDArray[np.float32]
    scale: float
    margins: Margins | None = None


@dataclass(frozen=True)
class Predicted:
    """The micrograph `index`, from 0, of `total` is done.

    `picks` are those at or above the threshold that was asked for, `threshold` is the model's own,
    `scores` are those of all peaks but flagged ones, also below the threshold, and `offset_sd` is
    the uncertainty of their calibration.
    """

    index: int
    total: int
    path: Path
    micrograph: Micrograph
    picks: Picks
    maps: Maps
    threshold: float
    scores: NDArray[np.float64]
    offset_sd: float
    seconds: float

    @property
    def margins_px(self) -> tuple[int, int, int, int] | None:
        """Rows and columns at top, bottom, left and right that are no image, if any are."""
        return self.maps.margins.depths_px if self.maps.margins else None


def describe_margins(margins_px: Sequence[tuple[int, ...] | None]) -> str:
    """Say in a sentence how many of some micrographs have margins, and how deep they are."""
    found = [depths for depths in margins_px if depths is not None]
    if not found:
        return ""
    deep = [depth for depths in found for depth in depths if depth]
    depth = f"{min(deep)} to {max(deep)} pixels deep" if deep else "blank corners"
    micrographs = "micrograph has" if len(margins_px) == 1 else "micrographs have"
    return (
        f"{len(found)} of {len(margins_px)} {micrographs} margins without image ({depth}); "
        "no picks there."
    )


PredictionEvent = Predicted | Failed


@dataclass(frozen=True)
class DiameterProgress:
    """One micrograph has been predicted at one of the sizes."""

    index: int
    total: int
    diameter_angstrom: float
    seconds_left: float


@dataclass(frozen=True)
class DiameterResult:
    """A diameter, how many particles of about this size were found, and on how many micrographs."""

    angstrom: float
    particles: float
    micrographs: int


DiameterEvent = DiameterProgress | DiameterResult
