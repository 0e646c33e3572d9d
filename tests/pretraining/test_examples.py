from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_cryopick.model.unet import PARTICLE_PX
from napari_cryopick.pretraining.examples import (
    DIAMETER_ERROR,
    FINE_PX,
    Microscope,
    draw_settings,
    make_example,
    make_examples,
    randomise_phases,
    reweight_frequencies,
    training_image,
)
from napari_cryopick.simulation.micrograph import simulate_micrograph
from napari_cryopick.simulation.synthetic import make_synthetic
from napari_cryopick.training.targets import AREA, CENTRE, CONTAMINATION

WEIGHTS = 4


@pytest.fixture(scope="module")
def particle():
    return make_synthetic(1, np.random.default_rng(3))


@pytest.fixture(scope="module")
def examples(particle):
    rngs = (np.random.default_rng(seed) for seed in range(12))
    return [make_example(particle, Microscope(), rng) for rng in rngs]


@pytest.fixture(scope="module")
def crowded(examples):
    return next(example for example in examples if len(example.picks) > 10)


@pytest.fixture(scope="module")
def simulated(particle):
    rng = np.random.default_rng(0)
    settings = draw_settings(particle.diameter_angstrom / FINE_PX, Microscope(), rng)
    return simulate_micrograph([particle], settings, rng)


def test_every_particle_is_in_the_target_where_it_is(crowded):
    image = training_image(crowded)
    y, x = np.rint(crowded.rescaling.to_network(crowded.picks.positions)).astype(int).T
    inside = (np.minimum(y, x) >= 0) & (y < image.layers.shape[1]) & (x < image.layers.shape[2])
    centre = image.layers[1 + CENTRE][y[inside], x[inside]]
    dirty = image.layers[1 + CONTAMINATION][y[inside], x[inside]] > 0
    assert (centre[~dirty] > 0.6).all()
    assert len(image.positions) == len(crowded.picks)


def test_nothing_is_unknown_but_the_border(crowded):
    weights = training_image(crowded).layers[WEIGHTS:]
    margin = round(crowded.border * crowded.particle_px) + 1
    assert (weights[CONTAMINATION] == 1).all()
    known = weights[: CENTRE + 1, margin:-margin, margin:-margin] > 0
    assert known.float().mean() > 0.8


def test_some_examples_show_no_particle_and_say_so(examples):
    empty = [example for example in examples if not len(example.picks)]
    assert 0 < len(empty) < len(examples) / 2
    for example in empty:
        layers = training_image(example).layers
        clean = layers[1 + CONTAMINATION] == 0
        inner = torch.zeros_like(clean)
        inner[5:-5, 5:-5] = True
        assert not layers[1 : 1 + CONTAMINATION].any()
        assert (layers[WEIGHTS + AREA][clean & inner] == 1).all()


def test_random_phases_keep_the_power_and_leave_no_particle(simulated):
    randomised = randomise_phases(simulated, np.random.default_rng(1))
    pixels = randomised.micrograph.pixels
    flat = simulated.micrograph.pixels - gaussian_filter(simulated.micrograph.pixels, 2 * FINE_PX)
    assert pixels.std() == pytest.approx(flat.std(), rel=0.05)
    assert abs(np.corrcoef(pixels.ravel(), flat.ravel())[0, 1]) < 0.1
    assert not len(randomised.picks)
    assert not randomised.labels.classes.any()


@pytest.mark.parametrize("seed", range(5))
def test_other_frequencies_leave_particles_in_sight_and_where_they_are(simulated, seed):
    blob = np.zeros((300, 200), np.float32)
    blob[100, 80] = -1.0
    blob = gaussian_filter(blob, FINE_PX / 4)
    micrograph = replace(simulated.micrograph, pixels=blob)
    pixels = reweight_frequencies(micrograph, np.random.default_rng(seed)).pixels
    assert np.unravel_index(pixels.argmin(), blob.shape) == (100, 80)
    assert pixels.min() < 0.3 * blob.min()
    assert not np.allclose(pixels, blob, atol=1e-3 * np.ptp(blob))


def test_diameters_are_off_as_those_of_people_and_targets_are_not(examples):
    sizes = np.array([example.particle_px for example in examples])
    assert sizes.max() / sizes.min() > 1.03
    errors = np.log(PARTICLE_PX / sizes)
    assert (errors >= DIAMETER_ERROR[0] - 1e-9).all()
    assert (errors <= DIAMETER_ERROR[1] + 1e-9).all()
    for example in examples:
        assert example.diameter_px == pytest.approx(FINE_PX)


def test_the_same_seed_gives_the_same_of_structures_and_synthetic_particles_in_turn(particle):
    mine = [replace(particle, name="mine")]
    first, again = (list(make_examples(mine, 4, seed=5)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one.image, other.image, rtol=0, atol=0)
    assert ["mine" in example.path.name for example in first] == [False, True, False, True]
    alone = make_examples(mine, 2, seed=5, synthetic=False)
    assert all("mine" in example.path.name for example in alone)


def test_what_is_known_of_the_microscope_is_kept():
    rng = np.random.default_rng(0)
    settings = draw_settings(3.0, Microscope(120, (9_000, 11_000)), rng)
    assert settings.voltage_kilovolt == 120
    assert settings.defocus_angstrom == (9_000, 11_000)
    assert {draw_settings(3.0, Microscope(), rng).voltage_kilovolt for _ in range(20)} == {200, 300}


def test_examples_to_test_on_are_whole_exposures_of_mostly_whole_particles():
    rng = np.random.default_rng(0)
    settings = [draw_settings(3.0, Microscope(), rng, test=True) for _ in range(40)]
    assert min(one.dose[0] for one in settings) >= 15
    assert max(one.fragments for one in settings) <= 0.1
    hard = [draw_settings(3.0, Microscope(), rng) for _ in range(40)]
    assert min(one.dose[0] for one in hard) < 10
