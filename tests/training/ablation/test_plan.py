"""The rows, the splits and the settings that an ablation is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.training.ablation.plan import SELF_TRAINING, TRAININGS, plan
from napari_cryopick.training.ablation.settings import AblationSettings
from napari_cryopick.training.ablation.split import split
from napari_cryopick.training.settings import SelfTrainSettings

PATHS = [Path(f"{i}.mrc") for i in range(10)]


def settings(**given: object) -> AblationSettings:
    return AblationSettings(diameter_angstrom=100, **given)  # type: ignore[arg-type]


def test_rows_stand_beside_what_was_published() -> None:
    rows = plan(rounds=4)
    published = [62.66, 65.2, 67.8, 71.5, 75.87, 75.95, 75.43, None]
    assert [row.published for row in rows] == published
    assert len({row.key for row in rows}) == len(rows)
    assert {row.training for row in rows} == set(TRAININGS)
    assert [row.adaptive for row in rows[:3]] == [False, False, True]
    assert rows[1].training == rows[2].training
    assert [row.iteration for row in rows if row.training == SELF_TRAINING] == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(3))
def test_nobody_trains_on_what_tests(seed: int) -> None:
    parts = split(PATHS, PATHS[:6], settings(), seed)
    assert len(parts.test) == 3
    assert len(parts.labelled) == 3
    assert parts.unlabelled == PATHS[6:]
    assert not set(parts.test) & {*parts.labelled, *parts.unlabelled}
    assert sorted([*parts.test, *parts.labelled]) == PATHS[:6]


def test_seeds_split_otherwise_and_again_the_same() -> None:
    tests = [tuple(split(PATHS, PATHS, settings(), seed).test) for seed in range(5)]
    assert len(set(tests)) > 1
    assert tests[3] == tuple(split(PATHS, PATHS, settings(), 3).test)
    assert tests[3] == tuple(split(PATHS, PATHS, settings(seed=3), 0).test)


def test_where_all_is_annotated_some_labels_are_hidden() -> None:
    parts = split(PATHS, PATHS, settings(test_share=0.2), 0)
    assert [len(parts.test), len(parts.labelled), len(parts.unlabelled)] == [2, 4, 4]
    parts = split(PATHS, PATHS, settings(test_share=0.2, labelled_share=0.25), 0)
    assert [len(parts.labelled), len(parts.unlabelled)] == [2, 6]
    parts = split(PATHS, PATHS, settings(test_share=0.2, rounds=0), 0)
    assert [len(parts.labelled), len(parts.unlabelled)] == [8, 0]


def test_few_are_dealt_out_sparingly() -> None:
    parts = split(PATHS[:3], PATHS[:3], settings(test_share=0.9), 0)
    assert [len(parts.test), len(parts.labelled), len(parts.unlabelled)] == [1, 1, 1]
    parts = split(PATHS, PATHS[:2], settings(test_share=0.1), 0)
    assert [len(parts.test), len(parts.labelled), len(parts.unlabelled)] == [1, 1, 8]


@pytest.mark.parametrize(("annotated", "micrographs", "fewest"), [(1, 10, 2), (2, 2, 3)])
def test_too_few_are_told(annotated: int, micrographs: int, fewest: int) -> None:
    with pytest.raises(CryopickError, match=rf"{annotated} annotated .* annotate {fewest} at"):
        split(PATHS[:micrographs], PATHS[:annotated], settings(), 0)


def test_a_scaled_ablation_takes_fewer_steps_and_epochs() -> None:
    prepared = settings(recipe="unet-selftrain-2025", scale=0.1, round_steps=4).prepared()
    assert (prepared.epochs, prepared.steps) == (10, 30)
    assert (prepared.round_epochs, prepared.round_steps) == (None, 1)
    assert prepared.complete
    assert prepared.always_accept


def test_trainings_get_their_own_settings_only() -> None:
    prepared = settings(seed=5, augmentation=0.7).prepared()
    of_bce = prepared.of_training(2, TRAININGS["bce"])
    assert type(of_bce) is SelfTrainSettings
    assert (of_bce.seed, of_bce.loss, of_bce.augmentation) == (7, "bce", 0)
    assert prepared.of_training(0, TRAININGS[SELF_TRAINING]).augmentation == 0.7
