from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.simulation.particle_model import (
    preferred_rotations,
    random_rotations,
)


@given(st.integers(0, 20), st.integers(0, 99), st.floats(0, 40))
def test_all_rotations_are_rotations(blob, count, seed, spread):
    rng = np.random.default_rng(seed)
    axes = blob.with_axes(3, rng).axes
    for made in (random_rotations(count, rng), preferred_rotations(count, axes, spread, rng)):
        assert made.shape == (count, 3, 3)
        products = made @ made.transpose(0, 2, 1)
        np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), products.shape), atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(made), 1)


def test_random_rotations_are_uniform():
    ends = random_rotations(5000, np.random.default_rng(0))[:, :, 2]
    assert ends.mean(axis=0) == pytest.approx(0, abs=0.03)
    assert ends.var(axis=0) == pytest.approx(1 / 3, abs=0.02)


def test_preferred_axes_point_along_the_beam_within_the_spread(blob):
    rng = np.random.default_rng(0)
    axis = blob.with_axes(1, rng).axes
    ends = preferred_rotations(2000, axis, 10, rng) @ axis[0]
    tilt = np.degrees(np.arccos(np.abs(ends[:, 2])))
    assert np.sqrt((tilt**2).mean() / 2) == pytest.approx(10, rel=0.1)
    assert (ends[:, 2] > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert ends[:, :2].mean(axis=0) == pytest.approx(0, abs=0.02)


def test_particles_on_preferred_sides_still_turn_around_the_beam():
    rng = np.random.default_rng(0)
    made = preferred_rotations(2000, np.array([[0.0, 0.0, 1.0]]), 0, rng)
    angles = np.arctan2(made[:, 1, 0], made[:, 0, 0])
    assert np.abs(np.exp(1j * angles).mean()) < 0.05


def test_a_coarser_model_has_the_same_mass_centre_and_size(blob):
    coarse = blob.coarser(8.0)
    assert len(coarse.positions) < len(blob.positions) / 2
    assert coarse.weights.sum() == pytest.approx(blob.weights.sum(), rel=1e-5)
    centre = np.average(coarse.positions, axis=0, weights=coarse.weights)
    np.testing.assert_allclose(centre, 0, atol=1e-3)
    assert coarse.diameter_angstrom == pytest.approx(blob.diameter_angstrom, abs=10)
    assert coarse.blur_angstrom == pytest.approx(8 / np.sqrt(12))


def test_a_fragment_is_a_part_around_its_own_centre(blob):
    for seed in range(5):
        fragment = blob.fragment(np.random.default_rng(seed))
        assert 0.2 < fragment.weights.sum() / blob.weights.sum() < 0.75
        np.testing.assert_allclose(fragment.positions.mean(axis=0), 0, atol=1e-3)
        assert fragment.diameter_angstrom < 1.5 * blob.diameter_angstrom


def test_contrast_scales_with_the_weights(blob):
    assert blob.scaled(0.5).weights.sum() == pytest.approx(blob.weights.sum() / 2, rel=1e-5)
    assert blob.scaled(0.5).diameter_angstrom == blob.diameter_angstrom
