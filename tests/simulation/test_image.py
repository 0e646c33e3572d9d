from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from napari_cryopick.simulation.ctf import Optics, contrast_transfer, intact
from napari_cryopick.simulation.ice import grain_filter, still, structure_factor, unscattered
from napari_cryopick.simulation.image import Exposure, expose, frequencies
from napari_cryopick.simulation.potential import (
    ICE_VOLT,
    PROTEIN_OVER_ICE_VOLT,
    carbon_shape,
    interaction,
    protein_shape,
)
from napari_cryopick.simulation.scene import Scene

OPTICS = Optics(
    defocus_u_angstrom=20_000, defocus_v_angstrom=18_000, astigmatism_degrees=40, b_factor=0
)
NO_ICE = Exposure(OPTICS, 1e-9, 40.0)


def image_of(scene, exposure=NO_ICE):
    even = np.ones(scene.shape, np.float32)
    return expose(scene, even, exposure, np.random.default_rng(0))


def test_a_weak_object_is_imaged_by_the_contrast_transfer_function():
    size, rng = 2.0, np.random.default_rng(0)
    scene = Scene.empty((128, 160), size)
    scene.solid[:] = rng.normal(size=scene.shape)
    spectrum = fft.fft2(image_of(scene) - 1)
    y, x = frequencies(scene.shape, size)
    expected = 2 * interaction(300) * fft.fft2(scene.solid) * contrast_transfer(y, x, OPTICS)
    told = (np.hypot(y, x) > 0) & (np.hypot(y, x) < 0.9 / 2 / size)
    assert np.abs(spectrum - expected)[told].max() / np.abs(expected).max() < 0.02


@pytest.mark.parametrize("shape", [(75, 81), (64, 81), (75, 64)])
@pytest.mark.parametrize("size", [0.5, 3.0])
def test_any_shape_and_pixel_size_will_do(shape, size):
    scene = Scene.empty(shape, size)
    scene.protein[30, 40] = 1000
    image = image_of(scene, Exposure(OPTICS, 300.0, 40.0))
    assert image.shape == shape
    assert np.isfinite(image).all()


def test_thon_rings_of_noise_have_their_minima_at_the_zeros():
    size = 2.0
    optics = Optics(
        defocus_u_angstrom=15_000, defocus_v_angstrom=15_000, b_factor=0, amplitude_contrast=0.07
    )
    scene = Scene.empty((512, 512), size)
    scene.solid[:] = np.random.default_rng(0).normal(size=scene.shape)
    power = np.abs(fft.fft2(image_of(scene, Exposure(optics, 1e-9, 40.0)))) ** 2
    y, x = frequencies(scene.shape, size)
    step = 1 / (512 * size)
    ring = np.round(np.hypot(y, x) / step).astype(int).ravel()
    radial = np.bincount(ring, power.ravel()) / np.bincount(ring)
    zero = np.sqrt((1 - np.arcsin(0.07) / np.pi) / (optics.wavelength_angstrom * 15_000))
    around = slice(int(0.6 * zero / step), int(1.25 * zero / step))
    assert (radial[around].argmin() + around.start) * step == pytest.approx(zero, abs=1.5 * step)


def test_nothing_is_lost_without_absorption():
    scene = Scene.empty((128, 128), 2.0)
    scene.solid[40:80, 50:90] = 300
    optics = Optics(amplitude_contrast=0)
    lossless = Exposure(optics, 1e-9, 40.0)
    optics_sharp = Optics(amplitude_contrast=0, b_factor=0)
    assert image_of(scene, lossless).mean() <= 1.0001
    assert image_of(scene, Exposure(optics_sharp, 1e-9, 40.0)).mean() == pytest.approx(1, abs=0.01)


def test_opacity_dims_and_thick_ice_filters():
    scene = Scene.empty((64, 64), 2.0)
    scene.opacity[:, 32:] = np.log(2)
    image = image_of(scene)
    np.testing.assert_allclose(image[:, :32], 1, atol=1e-3)
    np.testing.assert_allclose(image[:, 32:], 0.5, atol=1e-3)
    assert unscattered(3950, 300) == pytest.approx(np.exp(-1))
    assert unscattered(3950, 200) < np.exp(-1)


def test_without_a_filter_electrons_that_lost_energy_are_a_fog():
    scene = Scene.empty((128, 128), 2.0)
    scene.solid[::7] = 30
    clear, foggy = (
        image_of(scene, Exposure(OPTICS, 1000.0, 40.0, energy_filter=wanted))
        for wanted in (True, False)
    )
    passed = float(unscattered(1000.0, 300))
    assert clear.mean() == pytest.approx(passed, rel=0.01)
    assert foggy.mean() == pytest.approx(1, rel=0.01)
    assert foggy.std() == pytest.approx(clear.std(), rel=0.01)


def test_ice_is_even_over_long_distances_and_moves_in_the_beam():
    frequency = np.linspace(0, 0.5, 501)
    assert structure_factor(frequency[:1]) == pytest.approx(0.06, abs=0.01)
    assert frequency[structure_factor(frequency).argmax()] == pytest.approx(1 / 3.7, abs=0.01)
    assert structure_factor(frequency[-1:]) == pytest.approx(1, abs=0.02)
    assert still(frequency, 1e-9) == pytest.approx(1, abs=1e-3)
    assert (np.diff(still(frequency, 40)) < 0).all()
    assert (grain_filter(frequency, 40) <= grain_filter(frequency, 1)).all()


def test_damage_takes_fine_detail_first():
    frequency = np.array([0.01, 0.1, 0.3])
    left = intact(frequency, 40, 300)
    assert (np.diff(left) < 0).all()
    assert left[0] > 0.95
    critical = 0.245 * 0.3**-1.665 + 2.81
    assert left[2] == pytest.approx(2 * critical / 40 * (1 - np.exp(-40 / 2 / critical)))
    assert intact(frequency, 1e-6, 300) == pytest.approx(1, abs=1e-4)
    assert (intact(frequency, 40, 200) < left).all()


def test_the_displaced_ice_hides_protein_at_low_frequency():
    frequency = np.array([0.0, 0.05, 0.15, 0.6])
    shape = protein_shape(frequency)
    assert shape[0] == pytest.approx(1)
    assert (shape[1:] > carbon_shape(frequency[1:])).all()
    displaced = ICE_VOLT / PROTEIN_OVER_ICE_VOLT  # none is left at high frequency
    assert shape[3] == pytest.approx((1 + displaced) * carbon_shape(frequency)[3], rel=0.01)
