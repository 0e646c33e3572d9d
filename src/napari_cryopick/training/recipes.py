"""Settings that belong together, by name."""

from __future__ import annotations

from typing import Any, TypeVar

from ..errors import CryopickError
from .settings import TrainSettings

Settings = TypeVar("Settings", bound=TrainSettings)

RECIPES: dict[str, dict[str, Any]] = {
    "unet-selftrain-2025": {
        "complete": True,
        "start": "scratch",
        "architecture": "unet-31m",
        "loss": "focal-dice",
        "alpha": 0.25,
        "augmentation": 1.0,
        "adoption": 0.0,
        "doubt": 0.0,
        "epochs": 100,
        "round_epochs": 30,
        "rounds": 3,
        "pseudo_labels": "pixels",
        "particle_threshold": 0.95,
        "background_threshold": 0.05,
        "relaxation": 0.02,
        "always_accept": True,
    },
}
"""Recipes by name; a further one is an entry here.

unet-selftrain-2025
    A U-Net of 31 M parameters on complete labels, 0.7 focal + 0.3 Dice, 100 epochs; then three
    rounds of 30 epochs on pixels that are surely particle (0.95) or background (0.05), each kept
    whatever comes of it.
"""

_INSTEAD_OF = {"epochs": "steps", "round_epochs": "round_steps"}


def with_recipe(name: str, settings: Settings) -> Settings:
    """Settings with what a recipe says of everything that a person has not set.

    Parameters
    ----------
    name
        In `RECIPES`; an empty one changes nothing.
    settings
        Of any kind of training; what it does not know is left out.

    Raises
    ------
    CryopickError
        If there is no such recipe.
    """
    if not name:
        return settings
    if name not in RECIPES:
        raise CryopickError(f'There is no recipe "{name}"; known are {", ".join(RECIPES)}.')
    given = settings.model_fields_set
    recipe = {
        field: value
        for field, value in RECIPES[name].items()
        if field in type(settings).model_fields
        and field not in given
        and _INSTEAD_OF.get(field) not in given
    }
    return settings.model_copy(update=recipe)
