from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from napari_cryopick.simulation.structure import assemble, fill_ball


@pytest.mark.parametrize(("symmetry", "order"), [("C1", 1), ("C4", 4), ("D7", 14), ("O", 24)])
def test_an_assembly_has_its_symmetry_and_diameter(symmetry, order):
    spheres = assemble(160.0, symmetry, np.random.default_rng(0))
    assert len(spheres) % order == 0
    assert np.linalg.norm(spheres, axis=1).max() == pytest.approx(80)
    for rotation in Rotation.create_group(symmetry):
        distances, _ = cKDTree(spheres).query(rotation.apply(spheres))
        assert distances.max() < 1e-6


def test_a_ball_is_filled_evenly():
    radii = np.linalg.norm(fill_ball(20_000, np.random.default_rng(0)), axis=1)
    assert radii.max() <= 1
    assert (radii < 0.5).mean() == pytest.approx(1 / 8, abs=0.01)
