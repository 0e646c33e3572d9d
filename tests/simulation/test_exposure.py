from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from napari_cryopick.simulation import parallel
from napari_cryopick.simulation.ctf import Optics
from napari_cryopick.simulation.exposure import (
    DETECTORS,
    Exposure,
    blur,
    detect,
    expose,
    frequencies,
    illumination,
)
from napari_cryopick.simulation.ice import unscattered
from napari_cryopick.simulation.specimen import Specimen

from .conftest import contrast_transfer

OPTICS = Optics(
    defocus_u_angstrom=20_000, defocus_v_angstrom=18_000, astigmatism_degrees=40, b_factor=0
)
NO_ICE = Exposure(OPTICS, 1e-9, 40.0)


def image_of(specimen, exposure=NO_ICE):
    even = np.ones(specimen.shape, np.float32)
    return expose(specimen, even, exposure, np.random.default_rng(0))


def test_a_weak_object_is_imaged_by_the_contrast_transfer_function():
    size, rng = 2.0, np.random.default_rng(0)
    specimen = Specimen((128, 160), size)
    specimen.solid[:] = rng.normal(size=specimen.shape)
    spectrum = fft.fft2(image_of(specimen) - 1)
    y, x = frequencies(specimen.shape, size)
    expected = (
        2 * Optics(300).interaction * fft.fft2(specimen.solid) * contrast_transfer(y, x, OPTICS)
    )
    seen = (np.hypot(y, x) > 0) & (np.hypot(y, x) < 0.9 / 2 / size)
    assert np.abs(spectrum - expected)[seen].max() / np.abs(expected).max() < 0.02


@pytest.mark.parametrize("shape", [(75, 81), (64, 81), (75, 64)])
@pytest.mark.parametrize("size", [0.5, 3.0])
def test_any_shape_and_pixel_size_will_do(shape, size):
    specimen = Specimen(shape, size)
    specimen.protein[30, 40] = 1000
    image = image_of(specimen, Exposure(OPTICS, 300.0, 40.0))
    assert image.shape == shape
    assert np.isfinite(image).all()


def test_thon_rings_of_noise_have_their_minima_at_the_zeros():
    size = 2.0
    optics = Optics(
        defocus_u_angstrom=15_000, defocus_v_angstrom=15_000, b_factor=0, amplitude_contrast=0.07
    )
    specimen = Specimen((512, 512), size)
    specimen.solid[:] = np.random.default_rng(0).normal(size=specimen.shape)
    power = np.abs(fft.fft2(image_of(specimen, Exposure(optics, 1e-9, 40.0)))) ** 2
    y, x = frequencies(specimen.shape, size)
    step = 1 / (512 * size)
    ring = np.round(np.hypot(y, x) / step).astype(int).ravel()
    radial = np.bincount(ring, power.ravel()) / np.bincount(ring)
    zero = np.sqrt((1 - np.arcsin(0.07) / np.pi) / (optics.wavelength_angstrom * 15_000))
    around = slice(int(0.6 * zero / step), int(1.25 * zero / step))
    assert (radial[around].argmin() + around.start) * step == pytest.approx(zero, abs=1.5 * step)


def test_nothing_is_lost_without_absorption():
    specimen = Specimen((128, 128), 2.0)
    specimen.solid[40:80, 50:90] = 300
    optics = Optics(amplitude_contrast=0)
    lossless = Exposure(optics, 1e-9, 40.0)
    optics_sharp = Optics(amplitude_contrast=0, b_factor=0)
    assert image_of(specimen, lossless).mean() <= 1.0001
    assert image_of(specimen, Exposure(optics_sharp, 1e-9, 40.0)).mean() == pytest.approx(
        1, abs=0.01
    )


def test_opacity_dims_and_thick_ice_filters():
    specimen = Specimen((64, 64), 2.0)
    specimen.opacity[:, 32:] = np.log(2)
    image = image_of(specimen)
    np.testing.assert_allclose(image[:, :32], 1, atol=1e-3)
    np.testing.assert_allclose(image[:, 32:], 0.5, atol=1e-3)
    assert unscattered(3950, 300) == pytest.approx(np.exp(-1))
    assert unscattered(3950, 200) < np.exp(-1)


def test_without_a_filter_electrons_that_lost_energy_are_a_fog():
    specimen = Specimen((128, 128), 2.0)
    specimen.solid[::7] = 30
    clear, foggy = (
        image_of(specimen, Exposure(OPTICS, 1000.0, 40.0, energy_filter=wanted))
        for wanted in (True, False)
    )
    passed = float(unscattered(1000.0, 300))
    assert clear.mean() == pytest.approx(passed, rel=0.01)
    assert foggy.mean() == pytest.approx(1, rel=0.01)
    assert foggy.std() == pytest.approx(clear.std(), rel=0.01)


@pytest.mark.parametrize("name", ["counting", "integrating"])
def test_electrons_are_counted_as_often_as_the_efficiency_says(name):
    electrons = np.full((400, 300), 90.0, np.float32)
    counts = detect(electrons, name, np.random.default_rng(0))
    assert counts.mean() == pytest.approx(90 * DETECTORS[name][0], rel=0.005)


def test_a_counting_camera_has_white_shot_noise_of_whole_electrons():
    counts = detect(np.full((512, 512), 50.0, np.float32), "counting", np.random.default_rng(0))
    assert (counts == np.round(counts)).all()
    assert counts.var() == pytest.approx(counts.mean(), rel=0.02)
    neighbours = np.corrcoef(counts[:, 1:].ravel(), counts[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.01


def test_an_integrating_camera_smears_each_electron():
    counts = detect(np.full((256, 256), 50.0, np.float32), "integrating", np.random.default_rng(0))
    assert np.corrcoef(counts[:, 1:].ravel(), counts[:, :-1].ravel())[0, 1] > 0.1


def test_blur_leaves_what_it_says_at_the_nyquist_frequency():
    stripes = np.tile(np.array([1, -1], np.float32), (64, 32))
    np.testing.assert_allclose(blur(stripes, 0.6), 0.6 * stripes, atol=1e-5)
    np.testing.assert_allclose(blur(np.ones((64, 64), np.float32), 0.6), 1, atol=1e-6)


def test_counts_do_not_depend_on_the_number_of_cores(monkeypatch):
    electrons = np.full((700, 50), 9.0, np.float32)
    many = detect(electrons, "counting", np.random.default_rng(0))
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    one = detect(electrons, "counting", np.random.default_rng(0))
    assert (many == one).all()


@pytest.mark.parametrize("falloff", [0.0, 0.2, 0.9])
def test_the_beam_falls_off_as_far_as_asked_for_and_keeps_the_dose(falloff):
    beam = illumination((101, 151), falloff, np.random.default_rng(0))
    assert beam.mean() == pytest.approx(1, rel=1e-5)
    assert 1 - beam.min() / beam.max() == pytest.approx(falloff, abs=0.02)
