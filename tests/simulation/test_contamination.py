from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick.simulation.contamination import (
    add_carbon,
    add_debris,
    add_gold_bead,
    add_ice_ball,
    sphere,
)
from napari_cryopick.simulation.potential import CONTRAST_PER_DALTON
from napari_cryopick.simulation.specimen import Specimen

SHAPE, SIZE = (700, 500), 2.0


@pytest.fixture
def specimen():
    return Specimen(SHAPE, SIZE)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("add", [add_ice_ball, add_gold_bead, add_carbon])
def test_contamination_dims_the_beam_where_the_mask_says(specimen, rng, add):
    while not specimen.contamination.any():
        add(specimen, rng)
    inside = specimen.contamination
    assert specimen.opacity.min() >= 0
    assert specimen.opacity[inside].mean() > 5 * specimen.opacity[~inside].max(initial=0) / 4
    assert specimen.solid[inside].mean() > specimen.solid[~inside].mean()
    assert specimen.opacity[inside].sum() > 0.95 * specimen.opacity.sum()


def test_a_sphere_has_its_volume():
    assert sphere(20.0, 24).sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)


def test_the_edge_of_a_hole_leaves_ice_and_carbon(rng):
    shares = []
    for _ in range(10):
        specimen = Specimen((400, 400), 10.0)
        add_carbon(specimen, rng)
        shares.append(specimen.contamination.mean())
        assert 100 <= specimen.carbon.max() <= 200
    assert 0.1 < np.mean(shares) < 0.9


def test_debris_has_the_mass_asked_for(specimen, rng):
    add_debris(specimen, 20.0, rng)
    mass = specimen.debris.sum() * SIZE**2 / CONTRAST_PER_DALTON
    assert mass == pytest.approx(20.0 * SHAPE[0] * SHAPE[1] * SIZE**2, rel=0.1)
