from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick.simulation import parallel
from napari_cryopick.simulation.ctf import illumination
from napari_cryopick.simulation.detector import DETECTORS, blur, detect


@pytest.mark.parametrize("name", ["counting", "integrating"])
def test_electrons_are_counted_as_often_as_the_efficiency_says(name):
    electrons = np.full((400, 300), 90.0, np.float32)
    counts = detect(electrons, DETECTORS[name], np.random.default_rng(0))
    assert counts.mean() == pytest.approx(90 * DETECTORS[name].efficiency, rel=0.005)


def test_a_counting_camera_has_white_shot_noise_of_whole_electrons():
    counts = detect(
        np.full((512, 512), 50.0, np.float32), DETECTORS["counting"], np.random.default_rng(0)
    )
    assert (counts == np.round(counts)).all()
    assert counts.var() == pytest.approx(counts.mean(), rel=0.02)
    neighbours = np.corrcoef(counts[:, 1:].ravel(), counts[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.01


def test_an_integrating_camera_smears_each_electron():
    counts = detect(
        np.full((256, 256), 50.0, np.float32), DETECTORS["integrating"], np.random.default_rng(0)
    )
    assert np.corrcoef(counts[:, 1:].ravel(), counts[:, :-1].ravel())[0, 1] > 0.1


def test_blur_leaves_what_it_says_at_the_nyquist_frequency():
    stripes = np.tile(np.array([1, -1], np.float32), (64, 32))
    np.testing.assert_allclose(blur(stripes, 0.6), 0.6 * stripes, atol=1e-5)
    np.testing.assert_allclose(blur(np.ones((64, 64), np.float32), 0.6), 1, atol=1e-6)


def test_counts_do_not_depend_on_the_number_of_cores(monkeypatch):
    electrons = np.full((700, 50), 9.0, np.float32)
    many = detect(electrons, DETECTORS["counting"], np.random.default_rng(0))
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    one = detect(electrons, DETECTORS["counting"], np.random.default_rng(0))
    assert (many == one).all()


@pytest.mark.parametrize("falloff", [0.0, 0.2, 0.9])
def test_the_beam_falls_off_as_far_as_asked_for_and_keeps_the_dose(falloff):
    beam = illumination((101, 151), falloff, np.random.default_rng(0))
    assert beam.mean() == pytest.approx(1, rel=1e-5)
    assert 1 - beam.min() / beam.max() == pytest.approx(falloff, abs=0.02)
