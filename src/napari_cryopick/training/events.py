"""What a training run tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
class Finished:
    """The run is over; `model` is its best one."""

    run: Path
    model: Path
    metrics: dict[str, float]
    stopped: bool
    seconds: float


TrainingEvent = Started | Step | Validation | Checkpoint | Finished
