"""Settings of training runs, resolved to plain values when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..model.registry import DEFAULT
from ..settings import PickingSettings, Range

SCRATCH = "scratch"
RECIPES = Path(__file__).parent / "recipes"


class TrainSettings(PickingSettings):
    """Settings of a supervised training.

    Fields named in `AUTOMATIC` may be given as None: they then get the value that suits the
    others. Once made, an object holds that value, and its dump gives the same object again.
    """

    AUTOMATIC: ClassVar[tuple[str, ...]] = ("initial_model", "steps", "learning_rate", "loss")

    complete: bool = Field(
        False, description="Every particle of the labelled micrographs is picked."
    )
    initial_model: str = Field(
        DEFAULT,
        description="Model to start from: a name, a file or a run; scratch for random weights.",
    )
    architecture: Literal["compact", "unet-31m"] = Field("compact", description="Network.")
    steps: int = Field(
        150,
        ge=1,
        description="Optimiser steps: 150, or 300 from scratch; three times as many with "
        "complete labels.",
    )
    epochs: int = Field(
        0, ge=0, description="Passes over the labelled micrographs; 0 counts steps instead."
    )
    batch_size: int = Field(8, ge=1, description="Patches per step.")
    patch_px: int = Field(128, ge=32, multiple_of=16, description="Patch edge in network pixels.")
    learning_rate: float = Field(
        1e-3,
        gt=0,
        description="Peak learning rate of AdamW: 1e-3, 2e-3 from scratch, 3e-4 on a structure.",
    )
    loss: Literal["focal-dice", "bce"] = Field(
        "focal-dice", description="Loss: focal-dice, or bce on a structure."
    )
    focal_alpha: float = Field(
        0.5, gt=0, lt=1, description="Weight of particles in the focal loss."
    )
    augmentation: float = Field(1.0, ge=0, le=2, description="Strength of augmentation; 0 is none.")
    relabel_unlabelled: bool = Field(
        True,
        description="Unlabelled pixels that look like particles no longer count as background.",
    )
    seed: int = Field(0, ge=0, description="Makes a run repeatable on the CPU.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
    structure: Path | None = Field(
        None,
        description="Atomic model (.pdb, .cif) or density map (.mrc, .map) to simulate and train "
        "on instead of picks.",
    )
    simulated_micrographs: int = Field(
        100, ge=10, description="Micrographs of the structure to simulate."
    )
    voltage_kilovolt: float | None = Field(
        None, ge=60, le=1000, description="Simulated voltage in kV; 200 and 300 by default."
    )
    defocus_angstrom: Range = Field(
        (4_000.0, 32_000.0), description="Least and greatest simulated underfocus in Å."
    )

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, given: object) -> object:
        """Fill in the automatic fields."""
        if not isinstance(given, Mapping):
            return given
        automatic = {name for name in cls.AUTOMATIC if given.get(name) is None}
        values = {name: value for name, value in given.items() if name not in automatic}
        values = _recipe(str(values.get("recipe", ""))) | values
        return cls._defaults(values) | values

    @classmethod
    def _defaults(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the automatic fields, as the other values suggest them."""
        other_network = values.get("architecture", "compact") != "compact"
        initial = values.get("initial_model", SCRATCH if other_network else DEFAULT)
        scratch, structure = initial == SCRATCH, values.get("structure") is not None
        steps = 300 if scratch else 150
        return {
            "initial_model": initial,
            "steps": 3 * steps if values.get("complete") else steps,
            "learning_rate": 3e-4 if structure else 2e-3 if scratch else 1e-3,
            "loss": "bce" if structure else "focal-dice",
        }

    @property
    def from_scratch(self) -> bool:
        """Whether training begins with random weights."""
        return self.initial_model == SCRATCH

    def steps_over(self, labelled_px: int) -> int:
        """Return the steps of a training on so many labelled network pixels."""
        return self._counted(self.steps, self.epochs, labelled_px)

    def _counted(self, steps: int, epochs: int, labelled_px: int) -> int:
        epoch = max(1, ceil(labelled_px / (self.patch_px**2 * self.batch_size)))
        return epochs * epoch if epochs else steps


class SelfTrainSettings(TrainSettings):
    """Settings of a self-training run: of the initial model and of the rounds after it."""

    AUTOMATIC: ClassVar[tuple[str, ...]] = (*TrainSettings.AUTOMATIC, "round_steps")

    recipe: str = Field("", description="Recipe for settings that are not given.")
    rounds: int = Field(3, ge=0, description="Rounds of self-training, at most.")
    round_steps: int = Field(
        150, ge=1, description="Optimiser steps of a round: 150, or 200 from scratch."
    )
    round_epochs: int = Field(
        0, ge=0, description="Passes over the labelled micrographs per round; 0 counts steps."
    )
    pseudo_labels: Literal["particles", "pixels"] = Field(
        "particles", description="Whether whole particles or single pixels are pseudo-labelled."
    )
    particle_threshold: float | None = Field(
        None, gt=0, lt=1, description="Least score of a pseudo-labelled particle; else adaptive."
    )
    background_threshold: float | None = Field(
        None, gt=0, lt=1, description="Score below which background is labelled; else adaptive."
    )
    relaxation: float = Field(
        0.0, ge=0, lt=0.5, description="How far fixed thresholds move together in each round."
    )
    keep_every_round: bool = Field(
        False, description="Keep every round, better or worse, as the original recipe does."
    )
    ensemble: bool = Field(
        False, description="Also save the mean of all models that were kept, as one model."
    )

    @classmethod
    def _defaults(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        defaults = super()._defaults(values)
        from_scratch = defaults["initial_model"] == SCRATCH
        return defaults | {"round_steps": 200 if from_scratch else 150}

    def round_steps_over(self, labelled_px: int) -> int:
        """Return the steps of a round on so many labelled network pixels."""
        return self._counted(self.round_steps, self.round_epochs, labelled_px)


def _recipe(name: str) -> dict[str, Any]:
    """Return the settings of a recipe; none without a name."""
    if not name:
        return {}
    names = sorted(path.stem for path in RECIPES.glob("*.yaml"))
    if name not in names:
        message = f"There is no recipe {name}; the recipes are: {', '.join(names)}"
        raise PydanticCustomError("recipe", message)
    values: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text("utf-8"))
    return values
