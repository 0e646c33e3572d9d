"""A point in a micrograph and the same point in the image that the network sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from napari_cryopick.imaging.prepare import Rescaling

COORDINATES = st.floats(-100, 20_000)


def blob(shape: tuple[int, int], centre: np.ndarray, sigma_px: float) -> Tensor:
    """A Gaussian whose centre is known to a fraction of a pixel."""
    y, x = (np.arange(n) - c for n, c in zip(shape, centre, strict=True))
    return torch.from_numpy(np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma_px**2))).float()


def centroid(image: Tensor) -> np.ndarray:
    values = image.double().numpy()
    return np.array([(grid * values).sum() for grid in np.indices(values.shape)]) / values.sum()


@settings(deadline=None)
@given(st.tuples(COORDINATES, COORDINATES), st.floats(4, 4000), st.floats(16, 30))
def test_a_point_goes_there_and_back(point, diameter_px, particle_px):
    rescaling = Rescaling.to_particle(diameter_px, particle_px)
    back = rescaling.to_micrograph(rescaling.to_network(np.array([point])))
    np.testing.assert_allclose(back, [point], atol=0.05)


@pytest.mark.parametrize("factor", [0.1, 0.237, 1 / 3, 0.5, 0.81, 1.0, 1.7])
@pytest.mark.parametrize("shape", [(511, 640), (512, 333)])
@pytest.mark.parametrize("place", [(0.3, 0.62), (0.71, 0.7)])
def test_what_is_seen_lies_where_its_position_says(factor, shape, place):
    rescaling = Rescaling(factor)
    truth = np.array(shape) * place + (0.31, 0.77)
    seen = centroid(rescaling.shrink(blob(shape, truth, 2.2 / factor)))
    np.testing.assert_allclose(seen, rescaling.to_network(truth), atol=0.05)
    np.testing.assert_allclose(rescaling.to_micrograph(seen), truth, atol=0.05)


def test_a_particle_becomes_as_large_as_the_network_expects():
    rescaling = Rescaling.to_particle(diameter_px=73.0, particle_px=20.0)
    edges = rescaling.to_network(np.array([[100.0, 50.0], [100.0, 123.0]]))
    assert np.hypot(*(edges[1] - edges[0])) == pytest.approx(20)


@pytest.mark.parametrize("factor", [0.2, 0.37, 0.45])
def test_detail_finer_than_a_pixel_leaves_no_pattern(factor):
    checkerboard = torch.from_numpy(np.indices((300, 401)).sum(axis=0) % 2 * 2.0 - 1).float()
    assert Rescaling(factor).shrink(checkerboard).abs().max() < 0.03


@pytest.mark.parametrize("factor", [0.2, 0.37, 1.6])
def test_brightness_stays_as_it_is(factor):
    grey = torch.full((130, 171), 7.25)
    np.testing.assert_allclose(Rescaling(factor).shrink(grey), 7.25, rtol=1e-5)
