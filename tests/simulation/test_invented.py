from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick import CryopickError
from napari_cryopick.simulation.invented import invent
from napari_cryopick.simulation.micrographs import gather_bodies
from napari_cryopick.simulation.potential import CONTRAST_PER_DALTON
from napari_cryopick.simulation.settings import MicrographSettings


@given(st.integers(0, 10_000))
def test_an_invented_particle_is_as_large_and_heavy_as_a_complex(seed):
    body = invent(1, np.random.default_rng(seed))
    assert 60 < body.diameter_angstrom < 380
    kilodalton = body.weights.sum() / CONTRAST_PER_DALTON / 1000
    assert 3 < kilodalton < 8000
    centre = np.average(body.positions, axis=0, weights=body.weights)
    np.testing.assert_allclose(centre, 0, atol=1e-2)


@pytest.mark.parametrize("seed", range(5))
def test_its_density_varies_alike_in_all_its_units(seed):
    body = invent(1, np.random.default_rng(seed))
    units = {"C1": 1, "C2": 2, "C3": 3, "C4": 4, "C6": 6, "D2": 4, "D3": 6, "D4": 8, "D6": 12}
    units |= {"D7": 14, "T": 12, "O": 24, "I": 60}
    order = units[body.name.partition("(")[2].rstrip(")")]
    weights = body.weights.reshape(order, -1)
    np.testing.assert_allclose(weights, weights[:1].repeat(order, axis=0))
    assert weights.std() > 0


def test_they_differ_and_repeat(half_ring_pdb):
    settings = MicrographSettings(invented=4)
    first, second = (gather_bodies([half_ring_pdb], settings) for _ in range(2))
    assert [body.name for body in first] == [body.name for body in second]
    assert first[0].name == "ring"
    assert len({body.diameter_angstrom for body in first}) == 5
    more = gather_bodies([], MicrographSettings(invented=9))
    assert (more[3].positions == first[4].positions).all()


def test_nothing_to_simulate_is_told():
    with pytest.raises(CryopickError, match="give a file, or --invented"):
        gather_bodies([], MicrographSettings())
