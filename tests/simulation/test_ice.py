from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from napari_cryopick.simulation.ice import (
    LATTICE_ANGSTROM,
    add_crystals,
    ice_filter,
    motion_blur_power,
    smooth_noise,
    structure_factor,
    thickness_map,
)
from napari_cryopick.simulation.specimen import Specimen


@pytest.mark.parametrize("seed", range(3))
def test_crystalline_ice_diffracts_at_its_spacings(seed):
    rng = np.random.default_rng(seed)
    specimen = Specimen((512, 512), 1.0)
    while specimen.contamination.mean() < 0.9:
        add_crystals(specimen, 400.0, rng)
    power = np.abs(fft.fft2(specimen.solid)) ** 2
    frequency = np.hypot(fft.fftfreq(512)[:, None], fft.fftfreq(512))
    ring = np.round(frequency * 512).astype(int)
    radial = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    peak = 512 / (radial[100:250].argmax() + 100)
    assert min(abs(peak - spacing) for spacing in LATTICE_ANGSTROM) < 0.05


def test_coarse_pixels_show_no_lattice():
    specimen = Specimen((256, 256), 3.0)
    add_crystals(specimen, 400.0, np.random.default_rng(0))
    assert specimen.contamination.any()
    assert specimen.opacity.max() > 0


@pytest.mark.parametrize("width", [1.0, 7.3, 80.0])
def test_smooth_noise_has_unit_spread_and_no_finer_detail(width):
    rng = np.random.default_rng(0)
    noise = np.stack([smooth_noise((300, 200), width, rng) for _ in range(20)])
    assert noise.std() == pytest.approx(1, abs=0.25)
    step = np.diff(noise, axis=1).std()
    assert step < 4 / width


def test_ice_is_as_thick_as_it_should_be_on_average():
    rng = np.random.default_rng(0)
    relative = np.stack([thickness_map((300, 200), 5.0, 0.05, rng) for _ in range(20)])
    assert relative.mean() == pytest.approx(1, abs=0.05)
    assert 0.03 < relative.std() < 0.12
    assert thickness_map((300, 200), 5.0, 0.0, rng).std() == 0


def test_ice_is_even_over_long_distances_and_moves_in_the_beam():
    frequency = np.linspace(0, 0.5, 501)
    assert structure_factor(frequency[:1]) == pytest.approx(0.06, abs=0.01)
    assert frequency[structure_factor(frequency).argmax()] == pytest.approx(1 / 3.7, abs=0.01)
    assert structure_factor(frequency[-1:]) == pytest.approx(1, abs=0.02)
    assert motion_blur_power(frequency, 1e-9) == pytest.approx(1, abs=1e-3)
    assert (np.diff(motion_blur_power(frequency, 40)) < 0).all()
    assert (ice_filter(frequency, 40) <= ice_filter(frequency, 1)).all()
