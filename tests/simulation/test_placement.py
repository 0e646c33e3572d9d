from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.distance import pdist, squareform

from napari_cryopick.simulation.placement import draw_positions, place_aggregate
from napari_cryopick.simulation.specimen import Specimen


@given(
    st.lists(st.floats(10, 80), max_size=40),
    st.floats(0, 1.5),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_particles_keep_their_distance_inside_or_just_outside(sizes, spacing, clustering, seed):
    diameters = np.array(sizes)
    positions, which = draw_positions(
        diameters, (300, 200), np.random.default_rng(seed), spacing, clustering
    )
    assert len(positions) == len(which) == len(set(which.tolist()))
    if len(which) > 1:
        own = diameters[which]
        apart = squareform(pdist(positions)) + np.diag(np.full(len(which), np.inf))
        assert (apart >= spacing * (own[:, None] + own) / 2 - 1e-9).all()


def test_some_overlap_where_that_is_asked_for():
    rng = np.random.default_rng(0)
    positions, which = draw_positions(np.full(200, 50.0), (500, 500), rng, overlapping=1.0)
    assert len(which) == 200
    assert pdist(positions).min() < 25


def test_particles_cluster():
    def nearest(clustering):
        rng = np.random.default_rng(0)
        positions, _ = draw_positions(np.full(60, 20.0), (1000, 1000), rng, clustering=clustering)
        return np.sort(squareform(pdist(positions)), axis=1)[:, 1].mean()

    assert nearest(0.9) < 0.7 * nearest(0.0)


def test_an_aggregate_is_protein_that_nobody_should_pick(blob):
    rng, specimen = np.random.default_rng(3), Specimen((700, 500), 2.0)
    for _ in range(3):
        place_aggregate(specimen, [blob], rng)
    assert specimen.contamination.any()
    assert not specimen.particles.any()
    covered = ndimage.binary_dilation(specimen.contamination, iterations=5)
    assert specimen.protein[covered].sum() > 0.9 * specimen.protein.sum()
