"""The settings of pretraining."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..training.settings import SCRATCH, TrainSettings


class PretrainingSettings(BaseModel):
    """Settings of the training of a general model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(18_000, ge=1, description="Optimiser steps.")
    simulated_micrographs: int = Field(6_300, ge=2, description="Simulated ones to train on.")
    test_micrographs: int = Field(200, ge=2, description="Simulated ones to validate on.")
    batch_size: int = Field(8, ge=1, description="Patches per step.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate of AdamW.")
    seed: int = Field(0, ge=0, description="Repeats a training.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")

    def for_trainer(self) -> TrainSettings:
        """Return them for a trainer; its images are at their scale, so that no diameter matters."""
        return TrainSettings(
            diameter_angstrom=1,
            initial_model=SCRATCH,
            complete=True,
            loss="bce",
            relabel_unlabelled=False,
            **self.model_dump(include={"batch_size", "learning_rate", "seed", "device"}),
        )
