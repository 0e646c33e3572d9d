"""What a training run tells while it goes on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Started:
    """The run has read its input and is about to take its first step."""

    device: str
    parameters: int
    labelled_micrographs: int
    training_picks: int
    held_out_picks: int
    steps: int


@dataclass(frozen=True)
class Simulating:
    """So many of the micrographs that a start learns from are simulated."""

    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True)
class Step:
    """One optimiser step, with exponentially smoothed losses by name ("total" among them)."""

    step: int
    steps: int
    losses: dict[str, float]
    seconds_left: float


@dataclass(frozen=True)
class Validation:
    """How the model does on held-out human labels.

    `f1` and `average_precision` are at particle level. Where labels are incomplete (`complete` is
    False), F1 is an estimate that ranks models, no more, and average precision is NaN.
    """

    step: int
    f1: float
    average_precision: float
    threshold: float
    complete: bool


@dataclass(frozen=True)
class Checkpoint:
    """A better model lies on disk."""

    step: int
    path: Path


@dataclass(frozen=True)
class PseudoLabelled:
    """What the model of before has labelled for a round of self-training.

    Peaks with a score of at least `particle_threshold` teach as particles, ground below
    `background_threshold` as background, and what lies between not at all; `reason` says why there.
    """

    iteration: int
    particles: int
    micrographs: int
    particle_threshold: float
    background_threshold: float
    reason: str

    def as_figures(self) -> dict[str, Any]:
        """For metrics.json."""
        return {name: value for name, value in asdict(self).items() if name != "iteration"}


@dataclass(frozen=True)
class Iteration:
    """A supervised start (number 0) or a round of self-training is judged, and on disk.

    Attributes
    ----------
    name
        Of its folder in the run.
    f1, average_precision, threshold
        As in `Validation`.
    count
        Picks kept on all micrographs of the run, at its threshold.
    accepted, reason
        Whether it became the run's best model, and why or why not in plain words.
    """

    number: int
    name: str
    path: Path
    f1: float
    average_precision: float
    threshold: float
    count: int
    accepted: bool
    reason: str


@dataclass(frozen=True)
class Finished:
    """The run is over; `model` is its best one, `advice` what to do next in one sentence."""

    run: Path
    model: Path
    metrics: dict[str, float]
    stopped: bool
    seconds: float
    advice: str = ""


TrainingEvent = (
    Simulating | Started | Step | Validation | Checkpoint | PseudoLabelled | Iteration | Finished
)
