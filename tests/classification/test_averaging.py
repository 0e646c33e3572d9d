from __future__ import annotations

from threading import Event

import numpy as np
import pytest

from napari_cryopick.classification.averaging import PASSES, Pass, Stack, classify
from napari_cryopick.classification.coefficients import BOX_PX, CYCLES
from napari_cryopick.classification.statistics import agreed_cycles, describe

from .conftest import particles


def last_pass(stack, basis, classes, seed=0) -> Pass:
    *_, last = classify(stack, basis, classes, seed)
    return last


def purity(found, shapes) -> float:
    return sum(np.bincount(shapes[found == one]).max() for one in np.unique(found)) / len(found)


@pytest.mark.parametrize("classes", [2, 6])
def test_two_shapes_fall_into_classes_of_their_own(basis, classes):
    drawn = particles(600, noise=1.0)
    last = last_pass(drawn.stack(basis), basis, classes)
    assert purity(last.poses.classes.numpy(), drawn.shapes) > 0.93
    assert last.number == PASSES
    assert last.counts.sum() == 600


def test_few_classes_do_not_swallow_the_rest(basis):
    drawn = particles(600, noise=1.5)
    counts = last_pass(drawn.stack(basis), basis, 8).counts.numpy()
    assert (counts > 600 / 8 / 4).sum() >= 6


def test_the_same_seed_gives_the_same_classes(basis):
    stack = particles(300, noise=1.5).stack(basis)
    first, again, other = (last_pass(stack, basis, 4, seed) for seed in (3, 3, 4))
    assert (first.averages == again.averages).all()
    assert (first.poses.classes == again.poses.classes).all()
    assert (first.poses.classes != other.poses.classes).any()


def test_references_do_not_drift_from_the_centre(basis):
    drawn = particles(400, noise=1.0)
    last = last_pass(drawn.stack(basis), basis, 2)
    centred = last.poses.shifts.numpy() - drawn.shifts
    balls = drawn.shapes == 1
    assert np.linalg.norm(np.median(centred[balls], axis=0)) < 1


def test_it_stops_at_once(basis):
    stack, stop = particles(600, noise=1.0).stack(basis), Event()
    events = classify(stack, basis, 2, stop=stop)
    next(events)
    stop.set()
    assert list(events) == []


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("classes", [1, 3])
def test_few_particles_do_no_harm(basis, count, classes):
    check(particles(count, noise=1.0).images, basis, min(classes, count))


@pytest.mark.parametrize("value", [0.0, 1.0, 1e6])
def test_constant_particles_do_no_harm(basis, value):
    check(np.full((30, BOX_PX, BOX_PX), value, np.float32), basis, 3)


def test_identical_particles_do_no_harm(basis):
    check(np.repeat(particles(1, noise=1.0).images, 30, axis=0), basis, 3)


def check(images, basis, classes):
    """See that the classes of images hold all of them, and that nothing is NaN but scores."""
    stack = Stack(basis.analyse(images), basis)
    last = last_pass(stack, basis, classes)
    scores = np.full(len(images), np.nan)
    found, numbers = describe(last, scores, stack, basis, 140.0, seed=0)
    assert found.members.sum() == len(images)
    assert (found.members > 0).all()
    assert set(numbers) == set(range(1, len(found) + 1))
    for values in (found.averages, found.mean_correlations, found.spreads_angstrom, found.frc):
        assert np.isfinite(values).all()
    assert np.isnan(found.mean_scores).all()
    assert (found.resolutions_angstrom > 0).all()


def test_halves_agree_on_shapes_and_not_on_noise(basis):
    shapes, noise = particles(400, noise=1.0).images, np.random.default_rng(0)
    images = np.concatenate([shapes, noise.normal(0, 1, shapes.shape).astype(np.float32)])
    is_noise = np.arange(800) >= 400
    stack = Stack(basis.analyse(images), basis)
    classes, numbers = describe(
        last_pass(stack, basis, 6), is_noise.astype(float), stack, basis, 140.0, seed=0
    )
    assert (np.diff(classes.members) <= 0).all()
    empty = classes.mean_scores > 0.8
    finest = 5.0 * BOX_PX / CYCLES
    assert empty.any()
    assert (classes.resolutions_angstrom[empty] > 2 * finest).all()
    assert (classes.resolutions_angstrom[classes.mean_scores < 0.2] < 1.7 * finest).any()
    for number, score in enumerate(classes.mean_scores, 1):
        assert is_noise[numbers == number].mean() == pytest.approx(score)


def test_the_resolution_is_where_agreement_crosses_a_half():
    curves = np.array([[0.9, 0.7, 0.3, 0.9], [0.4, 0.9, 0.9, 0.9], [1.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(agreed_cycles(curves), [2.5, 5 / 6, 4.0])
