from __future__ import annotations

import numpy as np

from napari_cryopick.simulation.optics import contrast, transfer


def test_protein_is_dark_underfocus_with_rings_around_it():
    matter = np.zeros((128, 128))
    matter[64, 64] = 1
    image = contrast(matter, 2.0, 18_000, 4.0)
    assert image.argmin() == 64 * 128 + 64
    assert image.max() > 0


def test_transfer_oscillates_between_zeros_and_dies_out():
    frequency = np.linspace(0, 0.25, 2000)
    curve = transfer(frequency, 18_000)
    assert curve[0] == -0.1  # amplitude contrast alone
    assert np.abs(curve).max() <= 1
    zeros = frequency[:-1][np.diff(np.sign(curve)) != 0]
    wavelength = 0.0197
    assert abs(zeros[0] - np.sqrt((1 - np.arcsin(0.1) / np.pi) / (wavelength * 18_000))) < 2e-4
    assert np.abs(curve[-100:]).max() < 0.12
