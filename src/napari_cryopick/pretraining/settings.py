"""Everything that trainings on simulated micrographs can be told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..settings import Range
from ..training.settings import SCRATCH, TrainSettings


class Conditions(BaseModel):
    """What is known of the microscope; what is left out varies as it does in the world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voltage_kilovolt: float | None = Field(
        None, ge=60, le=1000, description="Voltage of the microscope simulated in kV."
    )
    defocus_angstrom: Range = Field(
        (4_000.0, 32_000.0), description="Least and greatest underfocus simulated, in Å."
    )


class GeneralSettings(BaseModel):
    """Settings of the training of a general model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(18_000, ge=1, description="Optimiser steps.")
    lessons: int = Field(6_300, ge=2, description="Simulated micrographs to learn from.")
    judging: int = Field(200, ge=2, description="Simulated micrographs to be judged by.")
    batch_size: int = Field(8, ge=1, description="Patches per step.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate of AdamW.")
    seed: int = Field(0, ge=0, description="Repeats a training.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")

    def training(self) -> TrainSettings:
        """The same in the words of every training."""
        return TrainSettings(
            diameter_angstrom=1,
            initial_model=SCRATCH,
            complete=True,
            loss="bce",
            relabel_unlabelled=False,
            **self.model_dump(include={"batch_size", "learning_rate", "seed", "device"}),
        )
