"""What a prediction run tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..micrograph import Micrograph
from ..picks import Picks
from .maps import Maps


@dataclass(frozen=True)
class Predicted:
    """One micrograph is done.

    `threshold` is the model's own, whichever was asked for; `particles` are as many as all scores
    add up to, those below the threshold too.
    """

    index: int
    total: int
    path: Path
    micrograph: Micrograph
    picks: Picks
    maps: Maps
    threshold: float
    particles: float
    seconds: float


@dataclass(frozen=True)
class Failed:
    """One micrograph could not be done, for a reason told in one sentence; the others go on."""

    index: int
    total: int
    path: Path
    message: str


PredictionEvent = Predicted | Failed
