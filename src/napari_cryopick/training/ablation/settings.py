"""Everything an ablation can be told."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..recipes import RECIPES, with_recipe
from ..settings import SCRATCH, SelfTrainSettings

_SCALED = ("steps", "epochs", "round_steps", "round_epochs")


class AblationSettings(SelfTrainSettings):
    """Settings of an ablation: those of its trainings, and how they are compared."""

    seeds: int = Field(3, ge=1, description="Random splits into training and test micrographs.")
    test_share: float = Field(
        0.5, gt=0, lt=1, description="Share of the annotated micrographs that only test."
    )
    labelled_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of the training micrographs whose picks teach; the others count as "
        "unlabelled. All by default, or half if every micrograph is annotated.",
    )
    recipe: str = Field(
        "", description=f"Settings for all that you do not set: {', '.join(RECIPES)}."
    )
    scale: float = Field(
        1.0, gt=0, le=1, description="Share of all steps and epochs to take, for a quick look."
    )

    def prepared(self) -> AblationSettings:
        """With the recipe and the scale worked in, and what an ablation always does."""
        filled = with_recipe(self.recipe, self)
        usual = {"start": SCRATCH, "steps": 300, "round_steps": 200}
        filled = filled.model_copy(
            update={name: usual[name] for name in usual if name not in filled.model_fields_set}
        )
        always = {"complete": True, "always_accept": True}
        counts = {name: _scaled(getattr(filled, name), self.scale) for name in _SCALED}
        return filled.model_copy(update=always | counts)

    def of_training(self, seed: int, changes: dict[str, Any]) -> SelfTrainSettings:
        """The settings of one training, without what concerns the ablation only."""
        fields = {name: getattr(self, name) for name in SelfTrainSettings.model_fields}
        return SelfTrainSettings(**(fields | {"seed": self.seed + seed} | changes))


def _scaled(count: int | None, scale: float) -> int | None:
    return None if count is None else max(1, round(count * scale))
