"""Everything that trainings on simulated micrographs can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..simulation.settings import Range
from ..training.settings import SCRATCH, SelfTrainSettings, TrainSettings


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
            start=SCRATCH,
            complete=True,
            loss="bce",
            doubt=0,
            adoption=0,
            **self.model_dump(include={"batch_size", "learning_rate", "seed", "device"}),
        )


class Simulation(Conditions):
    """What matters only where a structure teaches."""

    lessons: int = Field(
        100, ge=10, description="Micrographs of a structure to simulate and to learn from."
    )
    rounds: int = Field(
        0, ge=0, description="Rounds of self-training after a structure has taught, at the most."
    )

    def conditions(self) -> Conditions:
        """What is known of the microscope."""
        return Conditions(**{name: getattr(self, name) for name in Conditions.model_fields})


class StructureSettings(Simulation, SelfTrainSettings):
    """Settings of a training that begins with a structure."""

    structure: Path = Field(
        description="Atomic model (.pdb, .cif) or density map (.mrc, .map) of the particle."
    )
    loss: Literal["focal-dice", "bce", "tversky"] = Field("bce", description="The loss.")
    learning_rate: float | None = Field(
        3e-4, gt=0, description="Peak learning rate of AdamW; what is known is hardly to change."
    )


class TrainOptions(Simulation, TrainSettings):
    """Settings of a training, whether picks or a structure teaches."""

    def from_picks(self) -> TrainSettings:
        """What was set of what matters where picks teach."""
        given = self.model_fields_set & TrainSettings.model_fields.keys()
        return TrainSettings(**self.model_dump(include=given))

    def from_structure(self, structure: Path) -> StructureSettings:
        """What was set of all that says nothing of picks, and the structure."""
        given = self.model_fields_set - {"complete"}
        return StructureSettings(**self.model_dump(include=given), structure=structure)
