"""What a run leaves on disk."""

from __future__ import annotations

import json
from math import nan
from pathlib import Path

import pytest
import yaml

from napari_cryopick import CryopickError
from napari_cryopick.io import read_picks
from napari_cryopick.model.card import ModelCard
from napari_cryopick.model.registry import load_model
from napari_cryopick.model.unet import ARCHITECTURES
from napari_cryopick.model.weights import Model
from napari_cryopick.picks import Picks
from napari_cryopick.runs.folder import RunFolder
from napari_cryopick.training.events import Checkpoint, Step, Validation
from napari_cryopick.training.settings import TrainSettings

SETTINGS = TrainSettings(diameter_angstrom=130, seed=5)


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return RunFolder.create(tmp_path / "new" / "run", SETTINGS, "labels")


def model(threshold: float) -> Model:
    card = ModelCard(architecture="compact", particle_px=20, threshold=threshold)
    return Model(ARCHITECTURES["compact"](), card)


def strict(text: str) -> dict:
    """JSON as every other program reads it, without NaN."""

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_settings_can_be_read_back(run):
    text = (run.path / "settings.yaml").read_text()
    assert TrainSettings(**yaml.safe_load(text)) == SETTINGS


def test_a_run_is_never_laid_over_another(run):
    run.save_model("iteration_0_supervised", model(0.25))
    run.accept("iteration_0_supervised")
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    with pytest.raises(CryopickError, match=f"{run.path} already holds a run"):
        RunFolder.create(run.path, SETTINGS, "labels")
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_best_follows_what_is_accepted(run):
    for number, threshold in enumerate((0.25, 0.75)):
        run.save_model(f"iteration_{number}", model(threshold))
    for number, threshold in enumerate((0.25, 0.75)):
        run.accept(f"iteration_{number}")
        assert load_model(run.path).card.threshold == threshold
    run.accept("iteration_0")
    assert load_model(run.path).card.threshold == 0.25
    assert not [path for path in run.path.rglob("*") if path.name.startswith(".")]


def test_events_are_one_line_each_for_any_program(run):
    run.log(Step(1, 10, {"total": 0.5}, 9.0))
    run.log(Validation(1, 0.9, nan, 0.4, complete=False))
    run.log(Checkpoint(1, run.path / "model.safetensors"))
    lines = [strict(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["Step", "Validation", "Checkpoint"]
    assert lines[0]["losses"] == {"total": 0.5}
    assert lines[1]["average_precision"] is None
    assert lines[2]["path"] == str(run.path / "model.safetensors")


def test_metrics_and_picks_lie_beside_the_weights(run):
    run.save_metrics("iteration_0", {"f1": 0.5, "average_precision": nan})
    run.save_picks("iteration_0", {Path("grid/a.mrc"): Picks.at([[3.5, 4.25]], 0.75)}, 1.5)
    folder = run.path / "iteration_0"
    assert strict((folder / "metrics.json").read_text()) == {"f1": 0.5, "average_precision": None}
    picks = read_picks(folder / "picks.star")
    assert picks.pixel_size_angstrom == 1.5
    assert picks.by_micrograph["grid/a.mrc"].positions.tolist() == [[3.5, 4.25]]


def test_an_output_that_is_a_file_is_told(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(CryopickError, match="run is not a folder"):
        RunFolder.create(tmp_path / "run", SETTINGS, "labels")
    assert (tmp_path / "run").read_text() == "a file"


@pytest.mark.usefixtures("unprivileged")
def test_a_forbidden_output_folder_is_told():
    with pytest.raises(CryopickError, match="cannot be written to"):
        RunFolder.create(Path("/run_of_nobody"), SETTINGS, "labels")
