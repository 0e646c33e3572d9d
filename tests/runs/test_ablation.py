"""An ablation compares the parts of a recipe on micrographs that no training has seen."""

from __future__ import annotations

import csv
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from napari_cryopick.errors import CryopickError
from napari_cryopick.picks import Picks
from napari_cryopick.runs.ablation import FIGURES, AblationSettings, ablate, ablation_rows, split
from napari_cryopick.training.settings import SelfTrainSettings

from .conftest import SMALL

PATHS = [Path(f"{i}.mrc") for i in range(10)]
NAMES = [
    "Baseline (BCE)",
    "+ combined loss (focal + Dice)",
    "+ adaptive thresholds",
    "+ strong augmentation",
    "+ self-training, iteration 1",
]


def settings(**given: object) -> AblationSettings:
    return AblationSettings(**{"diameter_angstrom": 100} | given)


@pytest.mark.parametrize("seed", range(3))
def test_no_training_sees_what_tests(seed):
    labelled, unlabelled, test = split(PATHS, PATHS[:6], settings(), seed)
    assert (len(labelled), len(test)) == (3, 3)
    assert unlabelled == PATHS[6:]
    assert sorted([*labelled, *test]) == PATHS[:6]


def test_seeds_split_otherwise_and_again_the_same():
    tests = [split(PATHS, PATHS, settings(), seed)[2] for seed in range(5)]
    assert len(set(map(tuple, tests))) > 1
    assert tests[3] == split(PATHS, PATHS, settings(seed=3), 0)[2]


@pytest.mark.parametrize(
    ("annotated", "given", "sizes"),
    [
        (PATHS, {}, [3, 2, 5]),
        (PATHS, {"rounds": 0}, [5, 0, 5]),
        (PATHS[:2], {}, [1, 8, 1]),
        (PATHS[:3], {}, [2, 7, 1]),
    ],
)
def test_labels_are_hidden_where_nothing_is_left_for_self_training(annotated, given, sizes):
    assert list(map(len, split(PATHS, annotated, settings(**given), 0))) == sizes


@pytest.mark.parametrize(("annotated", "micrographs", "fewest"), [(1, 10, 2), (2, 2, 3)])
def test_too_few_micrographs_are_one_sentence(annotated, micrographs, fewest):
    with pytest.raises(
        CryopickError, match=rf"{annotated} annotated .* annotate at least {fewest}"
    ):
        split(PATHS[:micrographs], PATHS[:annotated], settings(), 0)


def test_a_scaled_recipe_takes_fewer_epochs_and_every_row_changes_one_part():
    given = settings(recipe="unet-selftrain-2025", scale=0.1, seed=5)
    baseline, last = (given.of_training(name, 2) for name in ("bce", "self-training"))
    assert (last.epochs, last.round_epochs, last.seed) == (10, 3, 7)
    assert (last.complete, last.keep_every_round, last.architecture) == (True, True, "unet-31m")
    assert (baseline.loss, baseline.augmentation, baseline.rounds) == ("bce", 0, 0)
    assert (last.loss, last.augmentation, last.rounds) == ("focal-dice", 1, 3)
    assert SelfTrainSettings(**last.model_dump(mode="json")) == last
    assert [row.name for row in ablation_rows(1)] == NAMES


@pytest.fixture(scope="module")
def data(project) -> tuple[list[Path], dict[Path, Picks]]:
    """Four micrographs, and every particle of three of them."""
    return project.micrographs, project.annotated(3)


@pytest.fixture(scope="module")
def quick() -> AblationSettings:
    return settings(**SMALL, initial_model="general", steps=2, round_steps=2, rounds=1, seeds=1)


@pytest.fixture(scope="module")
def done(data, quick, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ablation")
    steps = list(ablate(*data, quick, folder))
    assert [step.done for step in steps] == [0.5, 1, 1.5, 2, 2.25, 2.5, 2.75, 3]
    return folder


def test_every_row_has_its_figures(done):
    with (done / "ablation.csv").open() as file:
        table = {line["row"]: line for line in csv.DictReader(file)}
    assert list(table) == NAMES
    for line in table.values():
        for figure in FIGURES:
            low, mean, high = (float(line[f"{figure} {part}"]) for part in ("min", "mean", "max"))
            assert 0 <= low <= mean <= high <= 100
    loss, thresholds = (table[name] for name in NAMES[1:3])
    assert loss["pixel ROC-AUC mean"] == thresholds["pixel ROC-AUC mean"]
    assert loss["pixel F1 mean"] != thresholds["pixel F1 mean"]
    text = (done / "ablation.md").read_text()
    assert "seeds: 1; scale: 1." in text
    assert [text.count(f"| {name} |") for name in NAMES] == [1] * 5


def test_what_is_finished_is_not_repeated(data, quick, done):
    before = (done / "ablation.csv").read_bytes()
    (done / "ablation.csv").unlink()
    assert list(ablate(*data, quick, done)) == []
    assert (done / "ablation.csv").read_bytes() == before


def test_another_ablation_is_not_mixed_with_it(data, quick, done):
    micrographs, picks = data
    with pytest.raises(CryopickError, match="begun with batch_size = 2, not 3"):
        next(ablate(micrographs, picks, settings(**dict(quick) | {"batch_size": 3}), done))
    fewer = {path: table[np.arange(3)] for path, table in picks.items()}
    with pytest.raises(CryopickError, match="begun with other picks"):
        next(ablate(micrographs, fewer, quick, done))


def test_a_stopped_ablation_leaves_a_table_and_goes_on(data, quick, done, tmp_path):
    stop = Event()
    for step in ablate(*data, quick, tmp_path, stop):
        if step.done > 1:
            stop.set()
    text = (tmp_path / "ablation.md").read_text()
    assert NAMES[0] in text
    assert NAMES[1] not in text
    steps = list(ablate(*data, quick, tmp_path))
    assert {step.training for step in steps} == {"focal-dice", "self-training"}
    assert (tmp_path / "ablation.md").read_text() == (done / "ablation.md").read_text()


def test_a_round_that_has_nothing_to_learn_from_has_no_row(data, quick, tmp_path):
    untrained = settings(**dict(quick) | {"initial_model": "scratch"})
    list(ablate(*data, untrained, tmp_path))
    text = (tmp_path / "ablation.md").read_text()
    assert NAMES[3] in text
    assert NAMES[4] not in text
