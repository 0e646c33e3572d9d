"""A model is found by its name, its file, its run or one of its iterations."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.network.architectures import ARCHITECTURES
from napari_cryopick.network.card import ModelCard
from napari_cryopick.network.weights import Model, save_weights
from napari_cryopick.network.zoo import list_models, load_model


def save(path: Path, threshold: float) -> Path:
    card = ModelCard(architecture="compact", particle_px=20, threshold=threshold)
    save_weights(path, Model(ARCHITECTURES["compact"](), card))
    return path


@pytest.fixture
def run(tmp_path) -> Path:
    """A run of two iterations of which the first is the better."""
    run = tmp_path / "my run"
    save(run / "iteration_0_supervised" / "model.safetensors", 0.25)
    save(run / "iteration_1_selftrain" / "model.safetensors", 0.75)
    (run / "best").symlink_to("iteration_0_supervised")
    return run


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("", 0.25),
        ("best", 0.25),
        ("iteration_0_supervised", 0.25),
        ("iteration_1_selftrain", 0.75),
        ("iteration_1_selftrain/model.safetensors", 0.75),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_run_an_iteration_and_a_file_are_models(run, name, threshold, kind):
    assert load_model(kind(run / name)).card.threshold == threshold


def test_a_run_stays_whole_when_it_is_moved(run, tmp_path):
    moved = run.rename(tmp_path / "elsewhere")
    assert load_model(moved).card.threshold == 0.25


@pytest.mark.parametrize("name", ["no_such_model", "no/such/file.safetensors", ""])
def test_what_is_not_there_is_told(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CryopickError, match=name or "No model is named"):
        load_model(name)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(CryopickError, match=f"{tmp_path} holds no trained model"):
        load_model(tmp_path)


def test_a_run_whose_best_is_lost_is_told(run):
    (run / "iteration_0_supervised" / "model.safetensors").unlink()
    with pytest.raises(CryopickError, match="holds no trained model"):
        load_model(run)


def test_only_folders_that_hold_a_model_are_listed(run, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    listed = list_models([empty, run, run / "iteration_1_selftrain", tmp_path / "missing"])
    assert listed[-2:] == [str(run), str(run / "iteration_1_selftrain")]
    assert str(empty) not in listed


def test_all_that_is_listed_can_be_loaded(run):
    for name in list_models([run]):
        assert load_model(name).card.particle_px > 0
