from __future__ import annotations

import json
from threading import Event

import pytest

from napari_cryopick.cli.main import main
from napari_cryopick.errors import CryopickError
from napari_cryopick.io import read_picks
from napari_cryopick.model.registry import load_model
from napari_cryopick.pretraining.settings import StructureSettings
from napari_cryopick.pretraining.structure import train_from_structure
from napari_cryopick.runs.read import read_settings
from napari_cryopick.simulation.simulate import simulate_example
from napari_cryopick.simulation.structures import read_structure
from napari_cryopick.simulation.synthetic import example_particle
from napari_cryopick.training.events import Finished, Iteration, PseudoLabelled, Started

FEW = {"batch_size": 2, "patch_px": 32, "steps": 3, "lessons": 10, "device": "cpu"}


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory):
    folder, how = tmp_path_factory.mktemp("unseen"), {"shape": (256, 320), "pixel_size_angstrom": 4}
    return simulate_example(folder, example_particle(100), count=2, particles=20, **how)[0]


@pytest.fixture(scope="module")
def run(micrographs, structure, tmp_path_factory):
    """Of one round, with its events."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = StructureSettings(
        **FEW, structure=structure, diameter_angstrom=100, round_steps=3, rounds=1
    )
    return folder, list(train_from_structure(micrographs, settings, folder))


def test_nobody_need_have_picked_anything(run, micrographs):
    folder, events = run
    started = next(event for event in events if isinstance(event, Started))
    assert started.training_picks == 0
    iterations = [event for event in events if isinstance(event, Iteration)]
    assert [one.number for one in iterations] == list(range(len(iterations)))
    assert isinstance(events[-1], Finished)
    assert load_model(folder).card.architecture == "compact"
    picks = read_picks(folder / "iteration_0_supervised" / "picks.star")
    assert set(picks.by_micrograph) <= {str(path) for path in micrographs}


def test_a_round_is_judged_by_what_two_simulations_agree_on(run):
    folder, events = run
    if not any(isinstance(event, PseudoLabelled) for event in events):
        assert events[-1].advice
        return
    metrics = json.loads((folder / "iteration_1_selftrain" / "metrics.json").read_text())
    assert "different simulations agree on" in metrics["reason"]
    assert "clicks" not in metrics["reason"]


def test_a_stop_keeps_what_there_is(micrographs, structure, tmp_path):
    stop = Event()
    settings = StructureSettings(**FEW, structure=structure, diameter_angstrom=100)
    events = []
    for event in train_from_structure(micrographs, settings, tmp_path / "run", stop):
        events.append(event)
        if isinstance(event, Started):
            stop.set()
    assert events[-1].stopped
    assert load_model(tmp_path / "run")


def test_what_is_no_structure_is_told_before_any_work(micrographs, tmp_path):
    settings = StructureSettings(
        **FEW, structure=micrographs[0].with_suffix(".txt"), diameter_angstrom=9
    )
    with pytest.raises(CryopickError, match="no structure"):
        next(train_from_structure(micrographs, settings, tmp_path / "run"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [([], "nothing to learn from"), (["--picks", "a.star", "--structure", "b.pdb"], "Either")],
)
def test_the_terminal_wants_picks_or_a_structure(micrographs, tmp_path, capsys, words, sentence):
    command = ["train", str(micrographs[0]), "--diameter", "100", "--output", str(tmp_path / "r")]
    assert main([*command, *words]) == 1
    assert sentence in capsys.readouterr().err


def test_the_terminal_trains_on_a_structure(micrographs, structure, tmp_path, capsys):
    output = tmp_path / "run"
    words = ["--structure", str(structure), "--output", str(output)]
    few = {"steps": 1, "lessons": 10, "batch-size": 1, "patch": 32, "device": "cpu"}
    options = [word for name, value in few.items() for word in (f"--{name}", str(value))]
    paths = [str(path) for path in micrographs]
    assert main(["train", *paths, *words, *options, "--defocus", "8000", "20000"]) == 0
    told = capsys.readouterr().err
    across = read_structure(structure).diameter_angstrom
    assert f"ball.mrc is {across:.0f} Å across" in told
    assert "Simulating 10 micrographs of ball.mrc" in told
    assert read_settings(output, [])["diameter_angstrom"] == round(across)


def test_picks_do_not_tell_how_large_particles_are(micrographs, tmp_path, capsys):
    picks = micrographs[0].parent.parent / "particles.star"
    command = ["train", str(micrographs[0]), "--picks", str(picks), "--output", str(tmp_path / "r")]
    assert main(command) == 1
    assert "give --diameter" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
