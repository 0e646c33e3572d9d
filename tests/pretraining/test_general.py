from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest
import torch

from napari_cryopick.cli.main import main
from napari_cryopick.model.registry import load_model
from napari_cryopick.pretraining.general import _renewed, train_general
from napari_cryopick.pretraining.settings import GeneralSettings
from napari_cryopick.training.events import Checkpoint, Step

QUICK = GeneralSettings(steps=3, lessons=4, judging=2, batch_size=2, device="cpu")


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    file = tmp_path_factory.mktemp("taught") / "small.safetensors"
    return file, list(train_general([], QUICK, file))


def test_a_model_is_taught_and_says_what_it_is(taught):
    file, events = taught
    model = load_model(file)
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3]
    assert isinstance(events[-1], Checkpoint)
    assert model.card.name == "small"
    assert "simulated" in " ".join(model.card.training_data)
    assert 0.05 <= model.card.threshold <= 0.95


def test_the_same_seed_teaches_the_same(taught, tmp_path):
    file, _ = taught
    list(train_general([], QUICK, tmp_path / "again.safetensors"))
    first, again = (load_model(f).network for f in (file, tmp_path / "again.safetensors"))
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_stop_saves_what_was_learnt(tmp_path):
    stop = Event()
    stop.set()
    events = list(train_general([], QUICK, tmp_path / "stopped.safetensors", stop))
    assert sum(isinstance(event, Step) for event in events) == 1
    assert load_model(tmp_path / "stopped.safetensors")


def test_all_lessons_are_used():
    settings = GeneralSettings(steps=10, lessons=300)
    renewed = [number for taken in range(1, 11) for number in _renewed(taken, settings)]
    assert renewed == list(range(300 - 256))


def teach(file: Path, *structures: Path, **settings: object) -> None:
    """In the terminal."""
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    assert main(["models", "pretrain", *map(str, (file, *structures)), *words]) == 0


def test_the_terminal_teaches_with_structures_too(tmp_path, capsys, structure):
    file = tmp_path / "mine.safetensors"
    teach(file, structure, steps=1, lessons=2, judging=2, **{"batch-size": 1, "device": "cpu"})
    assert "F1" in capsys.readouterr().err
    assert load_model(file).card.name == "mine"


@pytest.mark.slow
def test_a_short_course_of_the_recipe_picks_what_it_has_never_seen(shared_data, tmp_path):
    """Apoferritin; what comes along was taught fifteen times as long."""
    model = tmp_path / "short.safetensors"
    teach(model, steps=1_200, lessons=420, judging=30)
    folder, sizes = shared_data / "apoferritin", ["--diameter", "126", "--pixel-size", "1.5"]
    picks, scores = tmp_path / "picks.star", tmp_path / "scores.json"
    predict = ["predict", str(folder / "micrographs"), "--model", str(model)]
    assert main([*predict, *sizes, "--output", str(picks)]) == 0
    evaluate = ["evaluate", str(picks), "--truth", str(folder / "particles.star")]
    assert main([*evaluate, *sizes, "--json", str(scores)]) == 0
    assert json.loads(scores.read_text())["macro"]["f1"] > 0.85
