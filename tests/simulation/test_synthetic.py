from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from napari_cryopick import CryopickError
from napari_cryopick.simulation.potential import CONTRAST_PER_DALTON
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simulate import load_particles
from napari_cryopick.simulation.synthetic import assemble, make_synthetic


@given(st.integers(0, 10_000))
def test_an_invented_particle_is_as_large_and_heavy_as_a_complex(seed):
    model = make_synthetic(1, np.random.default_rng(seed))
    assert 60 < model.diameter_angstrom < 380
    kilodalton = model.weights.sum() / CONTRAST_PER_DALTON / 1000
    assert 3 < kilodalton < 8000
    centre = np.average(model.positions, axis=0, weights=model.weights)
    np.testing.assert_allclose(centre, 0, atol=1e-2)


@pytest.mark.parametrize("seed", range(5))
def test_its_density_varies_alike_in_all_its_units(seed):
    model = make_synthetic(1, np.random.default_rng(seed))
    units = {"C1": 1, "C2": 2, "C3": 3, "C4": 4, "C6": 6, "D2": 4, "D3": 6, "D4": 8, "D6": 12}
    units |= {"D7": 14, "T": 12, "O": 24, "I": 60}
    order = units[model.name.partition("(")[2].rstrip(")")]
    weights = model.weights.reshape(order, -1)
    np.testing.assert_allclose(weights, weights[:1].repeat(order, axis=0))
    assert weights.std() > 0


def test_they_differ_and_repeat(half_ring_pdb):
    settings = SimulationSettings(synthetic=4)
    first, second = (load_particles([half_ring_pdb], settings) for _ in range(2))
    assert [model.name for model in first] == [model.name for model in second]
    assert first[0].name == "ring"
    assert len({model.diameter_angstrom for model in first}) == 5
    more = load_particles([], SimulationSettings(synthetic=9))
    assert (more[3].positions == first[4].positions).all()


def test_nothing_to_simulate_is_told():
    with pytest.raises(CryopickError, match="give structures or synthetic"):
        load_particles([], SimulationSettings())


@pytest.mark.parametrize(("symmetry", "order"), [("C1", 1), ("C4", 4), ("D7", 14), ("O", 24)])
def test_an_assembly_has_its_symmetry_and_diameter(symmetry, order):
    spheres = assemble(160.0, symmetry, np.random.default_rng(0))
    assert len(spheres) % order == 0
    assert np.linalg.norm(spheres, axis=1).max() == pytest.approx(80)
    for rotation in Rotation.create_group(symmetry):
        distances, _ = cKDTree(spheres).query(rotation.apply(spheres))
        assert distances.max() < 1e-6
