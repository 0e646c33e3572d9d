from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_cryopick.gui.contributions.sample_data import simulated
from napari_cryopick.io import match_picks, read_micrograph, read_picks
from napari_cryopick.metrics.particles import precision_recall_curve
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.example import example, simulate_example


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return simulate_example(tmp_path_factory.mktemp("example"), count=2)


def test_a_blob_detector_does_not_do_the_job(written):
    paths, star = written
    diameter_px = example().diameter_angstrom / 1.6
    found = {path: blobs(read_micrograph(path).pixels, diameter_px) for path in paths}
    truth = match_picks(read_picks(star), paths)
    best, _ = precision_recall_curve(found, truth, diameter_px).best_f1
    assert 0.6 < best < 0.93


def blobs(pixels, diameter_px):
    """Minima of a Laplacian of Gaussian, at least half a particle from the edge."""
    even = pixels / ndimage.gaussian_filter(pixels, diameter_px)
    response = ndimage.gaussian_laplace(even, diameter_px / 2 / np.sqrt(2))
    peaks = ndimage.maximum_filter(response, round(diameter_px / 2)) == response
    positions = np.argwhere(peaks)
    to_edge = np.minimum(positions, np.subtract(pixels.shape, 1) - positions).min(axis=1)
    positions = positions[to_edge >= diameter_px / 2]
    return Picks.at(positions, response[tuple(positions.T)])


def test_the_sample_data_open_in_napari(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ((pixels, attributes, kind),) = simulated()
    assert kind == "image"
    assert pixels.shape == (4, 1024, 1024)
    assert attributes["scale"][-1] == pytest.approx(1.6)
