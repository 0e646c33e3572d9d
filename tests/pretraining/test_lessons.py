from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_cryopick.model.unet import PARTICLE_PX
from napari_cryopick.pretraining import examples as lessons
from napari_cryopick.pretraining.conditions import draw_settings
from napari_cryopick.pretraining.examples import make_lesson, make_lessons, taught
from napari_cryopick.pretraining.settings import Conditions
from napari_cryopick.simulation.synthetic import make_synthetic
from napari_cryopick.training.targets import AREA, CENTRE, CONTAMINATION

WEIGHTS = 4


@pytest.fixture(scope="module")
def body():
    return make_synthetic(1, np.random.default_rng(3))


@pytest.fixture(scope="module")
def lesson(body):
    """One with particles in it."""
    made = (make_lesson(body, Conditions(), np.random.default_rng(seed)) for seed in range(20))
    return next(each for each in made if len(each.picks) > 10)


def test_every_particle_is_taught_where_it_is(lesson):
    field = taught(lesson)
    y, x = np.rint(lesson.rescaling.to_network(lesson.picks.positions)).astype(int).T
    inside = (np.minimum(y, x) >= 0) & (y < field.layers.shape[1]) & (x < field.layers.shape[2])
    centre = field.layers[1 + CENTRE][y[inside], x[inside]]
    dirty = field.layers[1 + CONTAMINATION][y[inside], x[inside]] > 0
    assert (centre[~dirty] > 0.6).all()
    assert len(field.positions) == len(lesson.picks)


def test_nothing_is_unknown_but_the_border(lesson):
    weights = taught(lesson).layers[WEIGHTS:]
    margin = round(lesson.border * lesson.particle_px) + 1
    assert (weights[CONTAMINATION] == 1).all()
    known = weights[: CENTRE + 1, margin:-margin, margin:-margin] > 0
    assert known.float().mean() > 0.8


def test_a_field_without_particles_is_taught_as_empty(body, monkeypatch):
    monkeypatch.setattr(lessons, "SCRAMBLED", 1.0)
    empty = make_lesson(body, Conditions(), np.random.default_rng(0))
    layers = taught(empty).layers
    assert not len(empty.picks)
    assert not layers[1 : 1 + CONTAMINATION].any()
    assert (layers[WEIGHTS + AREA, 5:-5, 5:-5] == 1).all()


def test_scrambling_keeps_power_and_leaves_no_particle(body):
    field = simulate_micrograph(body)
    scrambled = lessons._scrambled(field, np.random.default_rng(1))
    flat = field.micrograph.pixels - lessons.gaussian_filter(
        field.micrograph.pixels, 2 * lessons.FINE_PX
    )
    assert scrambled.micrograph.pixels.std() == pytest.approx(flat.std(), rel=0.05)
    correlation = np.corrcoef(scrambled.micrograph.pixels.ravel(), flat.ravel())[0, 1]
    assert abs(correlation) < 0.1
    assert not scrambled.labels.classes.any()


@pytest.mark.parametrize("seed", range(5))
def test_processing_leaves_particles_in_sight_and_where_they_are(body, monkeypatch, seed):
    monkeypatch.setattr(lessons, "_PROCESSED", 1.0)
    blob = np.zeros((300, 200), np.float32)
    blob[100, 80] = -1.0
    blob = lessons.gaussian_filter(blob, lessons.FINE_PX / 4)
    micrograph = replace(simulate_micrograph(body).micrograph, pixels=blob)
    processed = lessons._processed(micrograph, np.random.default_rng(seed)).pixels
    assert np.unravel_index(processed.argmin(), blob.shape) == (100, 80)
    assert processed.min() < 0.3 * blob.min()
    assert not np.allclose(processed, blob, atol=1e-3 * np.ptp(blob))


def simulate_micrograph(body):
    rng = np.random.default_rng(0)
    settings = draw_settings(body.diameter_angstrom / lessons.FINE_PX, Conditions(), rng)
    return lessons.simulate_micrograph([body], settings, rng)


def test_people_misjudge_diameters_and_targets_do_not(body):
    made = [make_lesson(body, Conditions(), np.random.default_rng(seed)) for seed in range(4)]
    sizes = [each.particle_px for each in made]
    assert max(sizes) / min(sizes) > 1.03
    least, greatest = lessons.MISJUDGED
    ratios = np.log(PARTICLE_PX / np.array(sizes))
    assert ((ratios >= least - 1e-9) & (ratios <= greatest + 1e-9)).all()
    for each in made:
        assert each.diameter_px == pytest.approx(lessons.FINE_PX)


def test_lessons_are_repeatable_and_alternate_between_known_and_invented_particles(body):
    first, again = (list(make_lessons([replace(body, name="mine")], 4, seed=5)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one.image, other.image, rtol=0, atol=0)
    assert ["mine" in each.path.name for each in first] == [False, True, False, True]


def test_conditions_are_kept():
    rng = np.random.default_rng(0)
    conditions = Conditions(voltage_kilovolt=120, defocus_angstrom=(9_000, 11_000))
    settings = draw_settings(3.0, conditions, rng)
    assert settings.voltage_kilovolt == 120
    assert settings.defocus_angstrom == (9_000, 11_000)
    assert {draw_settings(3.0, Conditions(), rng).voltage_kilovolt for _ in range(20)} == {200, 300}
