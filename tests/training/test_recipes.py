"""Recipes fill in what a person has not set."""

from __future__ import annotations

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.training.recipes import RECIPES, with_recipe
from napari_cryopick.training.settings import SelfTrainSettings, TrainSettings

NAME = "unet-selftrain-2025"


def test_a_recipe_fills_in_what_is_not_set() -> None:
    settings = with_recipe(NAME, SelfTrainSettings(diameter_angstrom=100, rounds=2))
    assert settings.rounds == 2
    assert settings.architecture == "unet-31m"
    assert (settings.epochs, settings.round_epochs) == (100, 30)
    assert settings.complete
    assert settings.always_accept
    assert settings.pseudo_labels == "pixels"
    assert settings.diameter_angstrom == 100


def test_steps_that_are_set_stand_instead_of_epochs() -> None:
    settings = with_recipe(NAME, SelfTrainSettings(diameter_angstrom=100, steps=7))
    assert settings.epochs is None
    assert settings.round_epochs == 30


def test_a_supervised_training_takes_what_concerns_it() -> None:
    settings = with_recipe(NAME, TrainSettings(diameter_angstrom=100))
    assert settings.epochs == 100
    assert set(settings.model_dump()) == set(TrainSettings.model_fields)


def test_no_recipe_changes_nothing() -> None:
    settings = TrainSettings(diameter_angstrom=100)
    assert with_recipe("", settings) is settings


def test_an_unknown_recipe_is_told() -> None:
    with pytest.raises(CryopickError, match=f'no recipe "cake"; known are .*{NAME}'):
        with_recipe("cake", TrainSettings(diameter_angstrom=100))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid(name: str) -> None:
    filled = with_recipe(name, SelfTrainSettings(diameter_angstrom=100))
    assert SelfTrainSettings.model_validate(filled.model_dump()) == filled
    assert set(RECIPES[name]) <= set(SelfTrainSettings.model_fields)


def test_an_epoch_covers_the_labelled_micrographs_once() -> None:
    sizes = {"diameter_angstrom": 100, "patch_px": 32, "batch_size": 2}
    settings = SelfTrainSettings(**sizes, epochs=3, round_epochs=2, complete=True)
    labelled_px = 10 * 32 * 32
    assert settings.steps_over(labelled_px) == 3 * 5
    assert settings.round_steps_over(labelled_px) == 2 * 5
    assert settings.steps_over(labelled_px + 1) == 3 * 6
    assert settings.steps_over(1) == 3


def test_without_epochs_steps_count() -> None:
    settings = SelfTrainSettings(diameter_angstrom=100, steps=10, round_steps=4, complete=True)
    assert settings.steps_over(10**9) == 30
    assert settings.round_steps_over(10**9) == 4
