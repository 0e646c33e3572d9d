from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from napari_cryopick import CryopickError, Picks
from napari_cryopick.classification import ClassifySettings
from napari_cryopick.classification.classify import classify_micrographs, usual_count
from napari_cryopick.classification.events import Classified, Cut
from napari_cryopick.classification.quality import quality
from napari_cryopick.micrograph import Failed
from napari_cryopick.picks import Status

SETTINGS = ClassifySettings(diameter_angstrom=160)


@pytest.fixture(scope="module")
def candidates(project) -> dict:
    """The particles, scored 0.9, and as many places at random, scored 0.1."""
    random = np.random.default_rng(0)
    picks = {}
    for path, true in project.particles.items():
        elsewhere = random.uniform(40, 280, (len(true), 2))
        scores = np.repeat([0.9, 0.1], len(true))
        picks[path] = Picks.at(np.concatenate([true.positions, elsewhere]), scores)
    return picks


def result(project, picks, settings=SETTINGS) -> Classified:
    *_, last = classify_micrographs(project.micrographs, picks, settings)
    assert isinstance(last, Classified)
    return last


def test_every_pick_gets_a_class_or_none(project, candidates):
    *events, last = classify_micrographs(project.micrographs, candidates, SETTINGS)
    cut = [event for event in events if isinstance(event, Cut)]
    assert [event.path for event in cut] == project.micrographs
    members = np.concatenate([one.classes for one in last.members.values()])
    assert len(members) == sum(map(len, candidates.values()))
    outside = sum(event.outside for event in cut)
    assert (members == 0).sum() == outside > 0
    np.testing.assert_array_equal(np.bincount(members)[1:], last.classes.members)
    for path, one in last.members.items():
        assert len(one.classes) == len(candidates[path])
        np.testing.assert_array_equal(np.isnan(one.angles), one.classes == 0)
        np.testing.assert_array_equal(np.isnan(one.shifts_px[:, 1]), one.classes == 0)
        assert np.nanmax(np.abs(one.correlations)) <= 1
    assert last.classes.pixel_size_angstrom == pytest.approx(160 / 28)


def test_picks_beside_their_particles_are_told_the_way(project):
    moved = {
        path: replace(one, positions=np.add(one.positions, (3, -4)))
        for path, one in project.particles.items()
    }
    last = result(project, moved, SETTINGS.model_copy(update={"classes": 1}))
    found = np.concatenate([one.shifts_px for one in last.members.values()])
    np.testing.assert_allclose(np.nanmedian(found, axis=0), (-3, 4), atol=1.0)


def test_flagged_picks_and_those_without_scores_are_no_problem(project):
    statuses = np.array([Status.OK] * 6 + [Status.BORDER] * 2 + [Status.DELETED] * 2)
    picks = {
        path: replace(one[np.arange(10)], statuses=statuses)
        for path, one in project.particles.items()
    }
    last = result(project, picks)
    for one in last.members.values():
        assert (one.classes[6:] == 0).all()
    shares, verdicts = quality(last.classes)
    assert np.isnan(shares).all()
    assert set(verdicts) == {"unsure"}


def test_a_micrograph_that_cannot_be_read_costs_no_other(project, candidates, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(b"no image")
    paths = [broken, *project.micrographs]
    events = list(classify_micrographs(paths, {broken: Picks.at([[1, 1]]), **candidates}, SETTINGS))
    assert isinstance(events[0], Failed)
    assert "broken.mrc" in events[0].message
    assert len(events[-1].members) == len(project.micrographs)


def test_without_a_particle_it_says_so(project):
    corner = {project.micrographs[0]: Picks.at([[0, 0]])}
    with pytest.raises(CryopickError, match="No particle can be cut out"):
        result(project, corner)


def test_it_ends_without_a_result_when_stopped(project, candidates):
    stop = Event()
    events = []
    for event in classify_micrographs(project.micrographs, candidates, SETTINGS, stop):
        events.append(event)
        if len(events) == 6:
            stop.set()
    assert len(events) == 6


def test_the_number_of_classes_follows_from_the_particles():
    counts = [usual_count(n) for n in (1, 10, 1500, 10_000, 10**6)]
    assert counts == [1, 1, 12, 32, 50]
