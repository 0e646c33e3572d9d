from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from napari_cryopick.simulation.specimen import deposit, ice_balls, scatter


def test_scattered_positions_keep_their_distance():
    positions = scatter(40, (500, 300), 30, np.random.default_rng(0))
    assert len(positions) == 40
    assert pdist(positions).min() >= 30
    assert (positions < (500, 300)).all()


def test_a_full_area_takes_no_more():
    assert 0 < len(scatter(1000, (100, 100), 40, np.random.default_rng(0))) < 20


def test_points_fall_on_their_nearest_pixel_or_outside():
    points = np.array([[0.0, 0.0], [1.4, 2.6], [1.4, 2.6], [-0.6, 1.0], [3.0, 9.0]])
    expected = np.zeros((4, 5))
    expected[0, 0], expected[1, 3] = 1, 2
    assert (deposit(points, (4, 5)) == expected).all()


def test_an_ice_ball_is_about_as_thick_as_wide():
    thickness = ice_balls(np.array([[150.0, 150.0]]), 100, (300, 300), np.random.default_rng(0))
    width = np.sqrt((thickness > 0.04).sum() * 4 / np.pi) / 100
    assert width == pytest.approx(1, abs=0.4)
    assert thickness.max() == pytest.approx(1, abs=0.7)
