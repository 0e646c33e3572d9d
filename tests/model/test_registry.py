"""A model is found by its name, its file, its run or one of its iterations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.model import registry
from napari_cryopick.model.registry import (
    VARIABLE,
    find_model,
    list_models,
    list_runs,
    load_model,
    models_folder,
)


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


def test_runs_are_listed_where_they_hold_a_model(run, tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "notes.txt").touch()
    (listed,) = list_runs(tmp_path)
    assert listed.name == str(run)
    assert load_model(listed.name).card.threshold == 0.25


def test_all_that_is_listed_can_be_loaded_by_its_name(models, save):
    save(models / "mine.safetensors", 0.5)
    listed = list_models()
    assert ("mine", "imported") in [(one.name, one.origin) for one in listed]
    for one in listed:
        assert find_model(one.name) == one.path
        assert load_model(one.name).card.particle_px > 0


def test_what_a_killed_import_has_left_is_not_listed(models, save):
    save(models / ".mine.17.safetensors", 0.5)
    assert [one for one in list_models() if one.origin == "imported"] == []


def test_a_bundled_model_comes_before_an_imported_one_and_that_before_a_file(
    models, save, tmp_path, monkeypatch
):
    bundled = tmp_path / "bundled"
    monkeypatch.setattr(registry, "_BUNDLED", bundled)
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "mine", 0.1)
    assert load_model("mine").card.threshold == 0.1
    save(models / "mine.safetensors", 0.2)
    assert load_model("mine").card.threshold == 0.2
    save(bundled / "mine.safetensors", 0.3)
    assert load_model("mine").card.threshold == 0.3


def test_the_folder_of_models_is_that_of_the_environment_or_of_the_platform(monkeypatch):
    monkeypatch.setenv(VARIABLE, "~/my models")
    assert models_folder() == Path.home() / "my models"
    monkeypatch.delenv(VARIABLE)
    assert models_folder().is_relative_to(Path.home())


def test_a_list_of_models_imports_no_torch():
    code = "import sys; from napari_cryopick.model.registry import list_models; list_models()"
    code += "; print(*sys.modules.keys() & {'torch', 'napari', 'pooch'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
