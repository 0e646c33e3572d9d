"""What a training run reports while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LeftOut:
    """Micrographs without labels that cannot be used, with a sentence each; the others go on."""

    messages: list[str]


@dataclass(frozen=True)
class Started:
    """The input has been read and the first step is about to be taken."""

    device: str
    parameters: int
    labelled_micrographs: int
    training_picks: int
    held_out_picks: int
    steps: int


@dataclass(frozen=True)
class Simulating:
    """So many micrographs of a structure have been simulated."""

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
    """How good the model is by now.

    F1 and average precision are those of particles on held-out labels, NaN where no complete ones
    were held out; expected precision and recall are what the scores say of the picks kept.
    """

    step: int
    f1: float
    average_precision: float
    threshold: float
    expected_precision: float
    expected_recall: float


@dataclass(frozen=True)
class PseudoLabelled:
    """The best model so far has labelled micrographs for a round of self-training.

    Peaks that score at least `particle_threshold` are particles, what scores below
    `background_threshold` is background, and everything between is left out.
    """

    iteration: int
    particles: int
    micrographs: int
    particle_threshold: float
    background_threshold: float
    reason: str


@dataclass(frozen=True)
class Iteration:
    """The initial model (number 0) or a round of self-training is validated and on disk.

    `path` holds its weights, `count` are the picks kept on all micrographs, and `reason` says why
    it is or is not the best model now (`accepted`). The rest is as in `Validation`.
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
    """The run is over; `model` is its best one, `advice` says what to do next."""

    run: Path
    model: Path
    metrics: dict[str, float]
    stopped: bool
    seconds: float
    advice: str = ""


TrainingEvent = (
    LeftOut | Simulating | Started | Step | Validation | PseudoLabelled | Iteration | Finished
)
