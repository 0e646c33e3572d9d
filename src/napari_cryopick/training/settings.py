"""Everything a training run can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..ruler import Ruler


class TrainSettings(Ruler):
    """Settings of a supervised training run."""

    complete: bool = Field(
        False, description="Every particle of the labelled micrographs is picked."
    )
    architecture: Literal["compact", "unet-31m"] = Field("compact", description="The network.")
    steps: int = Field(
        300, ge=1, description="Optimiser steps; three times as many with complete labels."
    )
    batch_size: int = Field(8, ge=1, description="Patches per step.")
    patch_px: int = Field(128, ge=32, multiple_of=16, description="Patch edge in network pixels.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate of AdamW.")
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
    def total_steps(self) -> int:
        """Complete labels have more to teach."""
        return 3 * self.steps if self.complete else self.steps
