from __future__ import annotations

from threading import Event

import pytest

from napari_cryopick.errors import CryopickError
from napari_cryopick.io import read_picks
from napari_cryopick.model.registry import load_model
from napari_cryopick.pretraining.structure import diameter_of, simulate_structure
from napari_cryopick.runs import train
from napari_cryopick.simulation.simulate import simulate_example
from napari_cryopick.simulation.synthetic import example_particle
from napari_cryopick.training.events import Finished, Iteration, Simulating, Started
from napari_cryopick.training.settings import SelfTrainSettings, TrainSettings

FEW = {"batch_size": 2, "patch_px": 32, "steps": 3, "simulated_micrographs": 10, "device": "cpu"}


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory):
    folder, how = tmp_path_factory.mktemp("unseen"), {"shape": (256, 320), "pixel_size_angstrom": 4}
    return simulate_example(folder, example_particle(100), count=2, particles=20, **how)[0]


@pytest.fixture
def settings(structure):
    return TrainSettings(**FEW, structure=structure, diameter_angstrom=100)


def collect(generator):
    """The events of a generator, and what it returns."""
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return events, end.value


def test_a_fifth_of_the_simulated_micrographs_calibrates_scores(settings):
    events, data = collect(simulate_structure(settings, Event()))
    assert [(event.done, event.total) for event in events] == [(n, 10) for n in range(1, 11)]
    assert events[-1].seconds_left == 0
    assert (len(data.images), len(data.tests)) == (8, 2)
    for example in data.tests:
        assert example.held_out_rows.all()
        assert example.path.name.endswith("ball")


def test_the_diameter_is_that_of_the_structure(structure):
    assert diameter_of(structure) == pytest.approx(12 * 2 * 4, abs=10)


def test_nobody_need_have_picked_anything(settings, micrographs, tmp_path):
    events = list(train(micrographs, {}, settings, tmp_path / "run"))
    started = next(event for event in events if isinstance(event, Started))
    assert started.training_picks == 0
    assert sum(isinstance(event, Simulating) for event in events) == 10
    assert [event.number for event in events if isinstance(event, Iteration)] == [0]
    assert isinstance(events[-1], Finished)
    assert load_model(tmp_path / "run").card.architecture == "compact"
    picks = read_picks(tmp_path / "run" / "iteration_0_supervised" / "picks.star")
    assert set(picks.by_micrograph) <= {str(path) for path in micrographs}


def test_self_training_can_begin_with_a_structure(structure, micrographs, tmp_path):
    settings = SelfTrainSettings(
        **FEW, structure=structure, diameter_angstrom=100, rounds=1, round_steps=2
    )
    events = list(train(micrographs, {}, settings, tmp_path / "run"))
    assert isinstance(events[-1], Finished)
    assert load_model(tmp_path / "run")


def test_a_stop_while_simulating_leaves_no_model(settings):
    stop = Event()
    stop.set()
    with pytest.raises(CryopickError, match="before there was a model"):
        list(simulate_structure(settings, stop))


def test_what_is_no_structure_is_said_before_any_simulation(micrographs, tmp_path):
    text = micrographs[0].with_suffix(".txt")
    settings = TrainSettings(**FEW, structure=text, diameter_angstrom=160)
    with pytest.raises(CryopickError, match="no structure"):
        next(train(micrographs, {}, settings, tmp_path / "run"))
