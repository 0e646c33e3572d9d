from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from napari_cryopick.simulation.assembly import assemble, fill_ball, orient


@pytest.mark.parametrize(("symmetry", "order"), [("C1", 1), ("C4", 4), ("D7", 14), ("O", 24)])
def test_an_assembly_has_its_symmetry_and_diameter(symmetry, order):
    spheres = assemble(160.0, symmetry, np.random.default_rng(0))
    assert len(spheres) % order == 0
    assert np.linalg.norm(spheres, axis=1).max() == pytest.approx(80)
    for rotation in Rotation.create_group(symmetry):
        distances, _ = cKDTree(spheres).query(rotation.apply(spheres))
        assert distances.max() < 1e-6


def test_orientations_are_uniform():
    rng = np.random.default_rng(0)
    ends = orient(np.array([[0.0, 0.0, 1.0]]), 5000, rng)[:, 0]
    # the ends of uniformly turned unit vectors: each coordinate is uniform in [-1, 1]
    assert ends.mean(axis=0) == pytest.approx(0, abs=0.03)
    assert ends.var(axis=0) == pytest.approx(1 / 3, abs=0.02)


def test_a_ball_is_filled_evenly():
    radii = np.linalg.norm(fill_ball(20_000, np.random.default_rng(0)), axis=1)
    assert radii.max() <= 1
    assert (radii < 0.5).mean() == pytest.approx(1 / 8, abs=0.01)
