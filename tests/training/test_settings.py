"""Settings are plain values once they are made, whoever makes them, and survive their own file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from napari_cryopick.training.settings import SelfTrainSettings, TrainSettings

RECIPE = "unet-selftrain-2025"

given_values = st.fixed_dictionaries(
    {"diameter_angstrom": st.floats(1, 1000)},
    optional={
        "complete": st.booleans(),
        "initial_model": st.sampled_from(["general", "scratch", None]),
        "architecture": st.sampled_from(["compact", "unet-31m"]),
        "steps": st.none() | st.integers(1, 1000),
        "learning_rate": st.none() | st.floats(1e-5, 1e-2),
        "loss": st.sampled_from(["focal-dice", "bce", None]),
        "structure": st.sampled_from([None, "model.cif"]),
        "recipe": st.sampled_from(["", RECIPE]),
        "rounds": st.integers(0, 5),
        "particle_threshold": st.none() | st.floats(0.1, 0.9),
    },
)


@given(given_values)
def test_settings_read_back_from_their_file_are_the_same(values):
    settings = SelfTrainSettings(**values)
    text = yaml.safe_dump(settings.model_dump(mode="json"))
    assert SelfTrainSettings(**yaml.safe_load(text)) == settings


@given(given_values)
def test_an_automatic_value_is_the_same_as_one_left_out(values):
    automatic = dict.fromkeys(SelfTrainSettings.AUTOMATIC) | values
    assert SelfTrainSettings(**automatic) == SelfTrainSettings(**values)
    assert None not in [
        getattr(SelfTrainSettings(**values), n) for n in SelfTrainSettings.AUTOMATIC
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"initial_model": "general", "steps": 150, "learning_rate": 1e-3}),
        ({"complete": True}, {"steps": 450, "loss": "focal-dice"}),
        ({"initial_model": "scratch"}, {"steps": 300, "learning_rate": 2e-3}),
        ({"architecture": "unet-31m"}, {"initial_model": "scratch", "steps": 300}),
        ({"structure": "a.pdb"}, {"loss": "bce", "learning_rate": 3e-4, "steps": 150}),
        ({"structure": "a.pdb", "loss": "focal-dice"}, {"loss": "focal-dice"}),
    ],
)
def test_automatic_values_suit_the_others(values, expected):
    settings = TrainSettings(diameter_angstrom=100, **values)
    assert {name: getattr(settings, name) for name in expected} == expected


def test_a_recipe_holds_but_for_what_is_given():
    settings = SelfTrainSettings(diameter_angstrom=100, recipe=RECIPE, epochs=2)
    assert (settings.architecture, settings.initial_model) == ("unet-31m", "scratch")
    assert (settings.epochs, settings.round_epochs, settings.rounds) == (2, 30, 3)
    assert (settings.particle_threshold, settings.background_threshold) == (0.95, 0.05)
    assert settings.keep_every_round


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ValidationError, match=f"no recipe soufflé.*{RECIPE}"):
        SelfTrainSettings(diameter_angstrom=100, recipe="soufflé")


def test_epochs_count_the_labelled_pixels():
    settings = TrainSettings(diameter_angstrom=100, epochs=3, patch_px=32, batch_size=2)
    assert settings.steps_over(10 * 2 * 32 * 32) == 30
    assert settings.steps_over(1) == 3
    assert TrainSettings(diameter_angstrom=100, steps=7).steps_over(10**9) == 7


WRONG: list[dict[str, Any]] = [
    {"diameter_angstrom": 0},
    {"pixel_size_angstrom": 0},
    {"steps": 0},
    {"patch_px": 50},
    {"architecture": "transformer"},
    {"loss": "hope"},
    {"defocus_angstrom": (2.0, 1.0)},
    {"stepps": 3},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TrainSettings(**{"diameter_angstrom": 100} | wrong)
