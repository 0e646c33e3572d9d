"""Everything a training run can be told."""

from __future__ import annotations

from math import ceil
from typing import Literal

from pydantic import Field

from ..model.registry import DEFAULT
from ..settings import PickingSettings

SCRATCH = "scratch"


class TrainSettings(PickingSettings):
    """Settings of a supervised training run."""

    complete: bool = Field(
        False, description="Every particle of the labelled micrographs is picked."
    )
    start: str = Field(
        DEFAULT, description="Model to start from: a name, a file or a run; scratch for none."
    )
    architecture: Literal["compact", "unet-31m"] = Field("compact", description="The network.")
    steps: int | None = Field(
        None,
        ge=1,
        description="Optimiser steps, by default 150, or 300 from scratch; three times as many "
        "with complete labels.",
    )
    epochs: int | None = Field(
        None, ge=1, description="Passes over the labelled micrographs in place of steps."
    )
    batch_size: int = Field(8, ge=1, description="Patches per step.")
    patch_px: int = Field(128, ge=32, multiple_of=16, description="Patch edge in network pixels.")
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="Peak learning rate of AdamW; else 1e-3, or 2e-3 from scratch.",
    )
    schedule: Literal["one-cycle", "cosine"] = Field("one-cycle", description="Learning rate.")
    loss: Literal["focal-dice", "bce", "tversky"] = Field("focal-dice", description="The loss.")
    alpha: float = Field(
        0.5, gt=0, lt=1, description="Share of particles in the focal loss; 0.25 is usual."
    )
    augmentation: float = Field(
        1.0, ge=0, le=2, description="Strength of augmentation: 0 none, 1 strong."
    )
    doubt: float = Field(
        16.0, ge=0, description="How fast a likely particle stops counting as background; 0 never."
    )
    adoption: float = Field(
        0.1, ge=0, le=1, description="Weight of likely particles that nobody has picked; 0 none."
    )
    seed: int = Field(0, ge=0, description="Repeats a run exactly on the CPU.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")

    @property
    def from_scratch(self) -> bool:
        """Whether a run begins with random weights, as another network than the usual one must."""
        unlike = self.architecture != "compact" and "start" not in self.model_fields_set
        return self.start == SCRATCH or unlike

    @property
    def total_steps(self) -> int:
        """Complete labels have more to teach, and random weights more to learn."""
        steps = self.steps or (300 if self.from_scratch else 150)
        return 3 * steps if self.complete else steps

    @property
    def peak_learning_rate(self) -> float:
        """What is known already is not to be forgotten."""
        return self.learning_rate or (2e-3 if self.from_scratch else 1e-3)

    def steps_over(self, labelled_px: int) -> int:
        """All steps of a training whose labelled micrographs have so many network pixels."""
        if self.epochs is None:
            return self.total_steps
        return self.epochs * self.epoch_steps(labelled_px)

    def epoch_steps(self, labelled_px: int) -> int:
        """Steps whose patches cover so many network pixels once."""
        return max(1, ceil(labelled_px / (self.patch_px**2 * self.batch_size)))


class SelfTrainSettings(TrainSettings):
    """Settings of a self-training run: those of its supervised start and of the rounds after it."""

    rounds: int = Field(3, ge=0, description="Rounds of self-training, at the most.")
    round_steps: int | None = Field(
        None,
        ge=1,
        description="Optimiser steps of a round, by default 150, or 200 from scratch.",
    )
    round_epochs: int | None = Field(
        None, ge=1, description="Passes over the labelled micrographs in place of round steps."
    )
    expected_count: float | None = Field(
        None, gt=0, description="Particles per micrograph, about, if you know; helps to choose."
    )
    pseudo_labels: Literal["particles", "pixels"] = Field(
        "particles", description="What is judged sure or not: whole particles, or pixels alone."
    )
    particle_threshold: float | None = Field(
        None, gt=0, lt=1, description="Score from which on it teaches particles; else adaptive."
    )
    background_threshold: float | None = Field(
        None, gt=0, lt=1, description="Score below which it teaches background; else adaptive."
    )
    relaxation: float = Field(
        0.0, ge=0, lt=0.5, description="How far fixed thresholds give way in each round."
    )
    blocks: bool = Field(
        False, description="Hide random blocks of the image from the successors, not the teachers."
    )
    ensemble: bool = Field(
        False, description="Also save the mean of all accepted models, as one model."
    )
    always_accept: bool = Field(
        False, description="Keep every round, better or worse, as the original recipe does."
    )

    def round_steps_over(self, labelled_px: int) -> int:
        """Steps of a round whose labelled micrographs have so many network pixels."""
        if self.round_epochs is None:
            return self.round_steps or (200 if self.from_scratch else 150)
        return self.round_epochs * self.epoch_steps(labelled_px)
