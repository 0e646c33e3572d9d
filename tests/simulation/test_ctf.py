from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.simulation.ctf import (
    Optics,
    aberration_phase,
    transfer,
)

from .conftest import contrast_transfer

ROUND = Optics(defocus_u_angstrom=18_000, defocus_v_angstrom=18_000)


def test_wavelength_and_interaction_are_those_of_textbooks():
    assert Optics(300).wavelength_angstrom == pytest.approx(0.01969, abs=1e-5)
    assert Optics(200).wavelength_angstrom == pytest.approx(0.02508, abs=1e-5)
    assert Optics(300).interaction == pytest.approx(6.526e-4, rel=1e-3)
    assert Optics(100).interaction == pytest.approx(9.244e-4, rel=1e-3)


@given(st.floats(5_000, 40_000), st.floats(0, 0.2), st.sampled_from([100.0, 200.0, 300.0]))
def test_zeros_are_where_the_phase_is_a_multiple_of_pi(defocus, amplitude, voltage):
    optics = Optics(
        voltage_kilovolt=voltage,
        spherical_aberration_millimetre=0,
        amplitude_contrast=amplitude,
        defocus_u_angstrom=defocus,
        defocus_v_angstrom=defocus,
    )
    order = np.arange(1, 5)
    squared = (order - np.arcsin(amplitude) / np.pi) / (optics.wavelength_angstrom * defocus)
    assert contrast_transfer(0, np.sqrt(squared), optics) == pytest.approx(0, abs=1e-6)


def test_it_is_the_textbook_formula():
    frequency, wavelength, aberration = np.linspace(1e-3, 0.2, 500), 0.0197, 2.7e7
    optics = replace(ROUND, voltage_kilovolt=299.53, amplitude_contrast=0.1, b_factor=150)
    chi = (
        np.pi
        * wavelength
        * frequency**2
        * (18_000 - aberration * (wavelength * frequency) ** 2 / 2)
    )
    expected = -np.sin(chi + np.arcsin(0.1)) * np.exp(-150 * frequency**2 / 4)
    np.testing.assert_allclose(contrast_transfer(0, frequency, optics), expected, atol=0.02)


def test_defocus_is_greatest_along_its_axis():
    optics = Optics(
        spherical_aberration_millimetre=0,
        defocus_u_angstrom=20_000,
        defocus_v_angstrom=10_000,
        astigmatism_degrees=30,
    )
    for degrees, defocus in ((30, 20_000), (120, 10_000), (75, 15_000)):
        y, x = 0.05 * np.sin(np.radians(degrees)), 0.05 * np.cos(np.radians(degrees))
        expected = np.pi * optics.wavelength_angstrom * defocus * 0.05**2
        assert aberration_phase(y, x, optics) == pytest.approx(expected)


def test_a_phase_plate_turns_all_but_the_unscattered_wave():
    plate = replace(ROUND, phase_shift_degrees=90)
    frequency = np.array([0.0, 1e-4, 0.02])
    shift = aberration_phase(0, frequency, plate) - aberration_phase(0, frequency, ROUND)
    np.testing.assert_allclose(np.degrees(shift), [0, 90, 90], atol=1e-9)
    assert contrast_transfer(0, np.float64(1e-4), plate) < -0.99


def test_the_wave_is_damped_and_never_amplified():
    y = np.fft.fftfreq(64, 1.0)[:, None]
    x = np.fft.fftfreq(64, 1.0)[None]
    wave = transfer(y, x, replace(ROUND, b_factor=100))
    assert wave[0, 0] == 1
    assert np.abs(wave).max() <= 1
    assert np.abs(wave[0, 10]) == pytest.approx(np.exp(-25 * (10 / 64) ** 2), rel=0.01)
