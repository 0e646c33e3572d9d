"""What may lie on a grid beside particles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, ndimage

from napari_cryopick.simulation.contamination import (
    add_carbon,
    add_debris,
    add_gold_bead,
    add_ice_ball,
    sphere,
)
from napari_cryopick.simulation.ice import SPACINGS_ANGSTROM, add_crystals, smooth_noise, undulation
from napari_cryopick.simulation.placement import add_aggregate
from napari_cryopick.simulation.potential import CONTRAST_PER_DALTON
from napari_cryopick.simulation.scene import Scene

SHAPE, SIZE = (700, 500), 2.0


@pytest.fixture
def scene():
    return Scene.empty(SHAPE, SIZE)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("add", [add_ice_ball, add_gold_bead, add_carbon])
def test_contamination_dims_the_beam_where_the_mask_says(scene, rng, add):
    while not scene.contamination.any():
        add(scene, rng)
    inside = scene.contamination
    assert scene.opacity.min() >= 0
    assert scene.opacity[inside].mean() > 5 * scene.opacity[~inside].max(initial=0) / 4
    assert scene.solid[inside].mean() > scene.solid[~inside].mean()
    assert scene.opacity[inside].sum() > 0.95 * scene.opacity.sum()


def test_a_sphere_has_its_volume():
    assert sphere(20.0, 24).sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)


def test_the_edge_of_a_hole_leaves_ice_and_carbon(rng):
    shares = []
    for _ in range(10):
        scene = Scene.empty((400, 400), 10.0)
        add_carbon(scene, rng)
        shares.append(scene.contamination.mean())
        assert 100 <= scene.carbon.max() <= 200
    assert 0.1 < np.mean(shares) < 0.9


def test_an_aggregate_is_protein_that_nobody_should_pick(scene, rng, blob):
    for _ in range(3):
        add_aggregate(scene, blob, rng)
    assert scene.contamination.any()
    assert not scene.shadow.any()
    covered = ndimage.binary_dilation(scene.contamination, iterations=5)
    assert scene.protein[covered].sum() > 0.9 * scene.protein.sum()


@pytest.mark.parametrize("seed", range(3))
def test_crystalline_ice_diffracts_at_its_spacings(seed):
    rng = np.random.default_rng(seed)
    scene = Scene.empty((512, 512), 1.0)
    while scene.contamination.mean() < 0.9:
        add_crystals(scene, 400.0, rng)
    power = np.abs(fft.fft2(scene.solid)) ** 2
    frequency = np.hypot(fft.fftfreq(512)[:, None], fft.fftfreq(512))
    ring = np.round(frequency * 512).astype(int)
    radial = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    peak = 512 / (radial[100:250].argmax() + 100)
    assert min(abs(peak - spacing) for spacing in SPACINGS_ANGSTROM) < 0.05


def test_coarse_pixels_show_no_lattice():
    scene = Scene.empty((256, 256), 3.0)
    add_crystals(scene, 400.0, np.random.default_rng(0))
    assert scene.contamination.any()
    assert scene.opacity.max() > 0


def test_debris_has_the_mass_asked_for(scene, rng):
    add_debris(scene, 20.0, rng)
    mass = scene.debris.sum() * SIZE**2 / CONTRAST_PER_DALTON
    assert mass == pytest.approx(20.0 * SHAPE[0] * SHAPE[1] * SIZE**2, rel=0.1)


@pytest.mark.parametrize("width", [1.0, 7.3, 80.0])
def test_smooth_noise_has_unit_spread_and_no_finer_detail(width):
    rng = np.random.default_rng(0)
    noise = np.stack([smooth_noise((300, 200), width, rng) for _ in range(20)])
    assert noise.std() == pytest.approx(1, abs=0.25)
    step = np.diff(noise, axis=1).std()
    assert step < 4 / width


def test_ice_is_as_thick_as_it_should_be_on_average():
    rng = np.random.default_rng(0)
    relative = np.stack([undulation((300, 200), 5.0, 0.05, rng) for _ in range(20)])
    assert relative.mean() == pytest.approx(1, abs=0.05)
    assert 0.03 < relative.std() < 0.12
    assert undulation((300, 200), 5.0, 0.0, rng).std() == 0
