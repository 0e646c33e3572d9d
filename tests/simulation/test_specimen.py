from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_cryopick.simulation.particle_model import ParticleModel
from napari_cryopick.simulation.specimen import add, deposit, particle_mask, project
from napari_cryopick.simulation.structures import read_structure

coordinate = st.floats(-50, 250)
offset = st.integers(-40, 60)


@given(st.tuples(coordinate, coordinate), st.integers(0, 1000), st.floats(1.0, 4.0))
def test_the_centre_of_mass_of_a_projection_is_where_the_particle_is(blob, centre, seed, size):
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    box, corner = project(blob, rotation, np.array(centre), size)
    found = np.array(ndimage.center_of_mass(box)) + corner
    np.testing.assert_allclose(found, centre, atol=2e-3)


@given(st.integers(0, 1000), st.floats(0.8, 4.0))
def test_a_projection_holds_all_of_the_potential(blob, seed, size):
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    box, _ = project(blob, rotation, np.array([3.3, 7.7]), size)
    assert box.sum() * size**2 == pytest.approx(blob.weights.sum(), rel=1e-4)


def test_a_ring_projects_to_a_ring_from_above_and_to_a_line_from_the_side(half_ring_pdb):
    ring = read_structure(half_ring_pdb)
    above, _ = project(ring, np.eye(3), np.zeros(2), 2.0)
    grid = above[:-1, :-1]  # centre in the middle
    np.testing.assert_allclose(grid, grid[::-1, ::-1], atol=1e-4 * grid.max())
    np.testing.assert_allclose(grid, grid.T[::-1], atol=1e-3 * grid.max())
    side, _ = project(ring, Rotation.from_euler("x", 90, True).as_matrix(), np.zeros(2), 2.0)
    rows = np.flatnonzero(side.sum(axis=1) > 1e-3)
    assert len(rows) <= 2
    assert np.count_nonzero(side.sum(axis=0) > 1e-3) >= 39


def test_x_of_the_body_runs_along_rows(blob):
    points = np.array([[30, 0, 0], [0, 0, 0], [0, 0, 0]], float)
    model = ParticleModel("three", points.astype(np.float32), np.ones(3, np.float32))
    box, corner = project(model, np.eye(3), np.zeros(2), 1.0)
    assert box[0 - corner[0], 30 - corner[1]] == pytest.approx(1)


def test_a_blurred_body_is_as_heavy(ball_map):
    model = read_structure(ball_map)
    box, corner = project(model, np.eye(3), np.array([50.2, 60.4]), 1.5)
    assert box.sum() * 1.5**2 == pytest.approx(model.weights.sum(), rel=1e-3)
    found = np.array(ndimage.center_of_mass(box)) + corner
    np.testing.assert_allclose(found, (50.2, 60.4), atol=0.02)


def test_deposit_shares_a_point_among_its_neighbours():
    sums = deposit(np.array([[1.25, 2.5]]), np.array([8.0]), 5)
    assert sums[1, 2] == sums[1, 3] == 3
    assert sums[2, 2] == sums[2, 3] == 1
    assert sums.sum() == 8


@given(st.tuples(offset, offset))
def test_a_box_is_added_where_it_lies_over_the_area(corner):
    box, area = np.arange(1.0, 101).reshape(10, 10), np.zeros((30, 20))
    add(box, corner, area)
    padded = np.zeros((130, 130))
    padded[40 + corner[0] : 50 + corner[0], 40 + corner[1] : 50 + corner[1]] = box
    assert (area == padded[40:70, 40:60]).all()


def test_the_mask_of_a_hollow_shell_is_closed():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20_000, 3))
    points *= 50 / np.linalg.norm(points, axis=1, keepdims=True)
    shell = ParticleModel.centred("shell", points, np.ones(len(points)))
    box, _ = project(shell, np.eye(3), np.zeros(2), 2.0)
    radius = np.sqrt(particle_mask(box, 2.0).sum() * 4 / np.pi)
    assert 50 < radius < 50 + 8
