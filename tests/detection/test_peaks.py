"""Every bump of a centre map becomes one pick, to a fraction of a pixel, with score and flag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from napari_cryopick.detection.events import Maps
from napari_cryopick.detection.peaks import find_peaks, pick
from napari_cryopick.imaging.margins import Margins
from napari_cryopick.picks import Picks, Source, Status
from napari_cryopick.settings import BORDER

SHAPE = (60, 80)
INSIDE = st.tuples(st.floats(4, SHAPE[0] - 5), st.floats(4, SHAPE[1] - 5))
MICROGRAPH = (400, 600)
SCALE = 0.25
PARTICLE_PX = 20.0
DIAMETER_PX = PARTICLE_PX / SCALE


def draw(positions, heights, sigma_px: float = 2.4) -> NDArray[np.float32]:
    """A probability map with a Gaussian bump at each position, as a trained network draws it."""
    y, x = np.indices(SHAPE)
    centre = np.zeros(SHAPE)
    for (row, column), height in zip(positions, heights, strict=True):
        bump = height * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma_px**2))
        centre = np.maximum(centre, bump)
    return centre.astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(st.lists(INSIDE, min_size=1, max_size=6), st.data())
def test_every_bump_is_found_where_it_is(positions, data):
    truth = np.array(positions)
    assume(len(truth) == 1 or pdist(truth).min() > 14)
    heights = data.draw(st.lists(st.floats(0.2, 1), min_size=len(truth), max_size=len(truth)))
    found, _ = find_peaks(draw(truth, heights), min_distance_px=8)
    assert len(found) == len(truth)
    assert cdist(found, truth).min(axis=0).max() < 0.2


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(1, 20))
def test_no_two_are_nearer_than_the_minimum_distance(seed, min_distance_px):
    centre = np.random.default_rng(seed).random(SHAPE).astype(np.float32)
    found, heights = find_peaks(centre, min_distance_px, smooth_px=0.8)
    assert len(found) > 1
    assert pdist(found).min() >= min_distance_px
    assert (np.diff(heights) <= 0).all()


def test_nothing_is_lost_that_no_better_one_is_near():
    centre = np.random.default_rng(3).random(SHAPE).astype(np.float32)
    every, heights = find_peaks(centre, min_distance_px=1e-3)
    kept, kept_heights = find_peaks(centre, min_distance_px=9)
    for position, height in zip(every, heights, strict=True):
        is_kept = (kept == position).all(axis=1).any()
        near = np.hypot(*(kept - position).T) <= 9
        assert is_kept or (kept_heights[near] >= height).any()


@pytest.mark.parametrize("first", [0.9, 0.6])
def test_of_two_near_ones_the_higher_stays(first):
    centre = draw([(30, 30), (30, 39)], [first, 1.5 - first])
    found, _ = find_peaks(centre, min_distance_px=10)
    higher = (30, 30) if first > 0.75 else (30, 39)
    np.testing.assert_allclose(found, [higher], atol=0.2)
    assert len(find_peaks(centre, min_distance_px=7)[0]) == 2


def test_the_best_come_first_with_their_heights():
    found, heights = find_peaks(draw([(10, 10), (30, 60), (50, 20)], [0.3, 0.9, 0.6]), 8)
    np.testing.assert_allclose(found, [(30, 60), (50, 20), (10, 10)], atol=0.2)
    assert (np.diff(heights) < 0).all()
    assert (heights < [0.9, 0.6, 0.3]).all()
    assert (heights > [0.6, 0.4, 0.2]).all()


def test_a_plateau_is_one_particle():
    centre = np.zeros(SHAPE, dtype=np.float32)
    centre[20:26, 30:36] = 1.0
    found, _ = find_peaks(centre, min_distance_px=10)
    assert len(found) == 1
    assert np.hypot(*(found[0] - (22.5, 32.5))) < 1


@pytest.mark.parametrize("corner", [(0, 0), (0, 79), (59, 0), (59, 79)])
def test_a_particle_in_the_corner_is_found_inside_the_map(corner):
    found, _ = find_peaks(draw([corner], [0.9]), min_distance_px=8)
    np.testing.assert_allclose(found, [corner], atol=0.6)


@pytest.mark.parametrize("level", [0.0, 0.009])
def test_an_empty_map_holds_nothing(level):
    positions, heights = find_peaks(np.full(SHAPE, level, dtype=np.float32), 8)
    assert positions.shape == (0, 2)
    assert heights.shape == (0,)


def maps(*centres: tuple[float, float], ice: slice | None = None) -> Maps:
    """Maps with a bump at each of the centres, given in micrograph pixels."""
    y, x = np.indices((100, 150))
    centre = np.zeros((100, 150), dtype=np.float32)
    for row, column in (np.array(centres) + 0.5) * SCALE - 0.5:
        bump = 0.9 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 2.4**2))
        centre = np.maximum(centre, bump.astype(np.float32))
    contamination = np.zeros_like(centre)
    if ice is not None:
        contamination[:, ice] = 0.9
    return Maps(np.zeros_like(centre), centre, contamination, SCALE)


def picked(*centres: tuple[float, float], ice: slice | None = None) -> Picks:
    return pick(maps(*centres, ice=ice), MICROGRAPH, PARTICLE_PX)


def test_positions_are_in_micrograph_pixels():
    found = picked((203.3, 310.8))
    np.testing.assert_allclose(found.positions, [(203.3, 310.8)], atol=0.2 / SCALE)
    assert found.sources.tolist() == [Source.MODEL]
    assert found.statuses.tolist() == [Status.OK]


@pytest.mark.parametrize("to_edge", [0.5, 2.0])
@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_a_particle_cut_by_the_edge_is_flagged(edge, to_edge):
    inset = to_edge * BORDER * DIAMETER_PX
    place = {
        "top": (inset, 300),
        "bottom": (MICROGRAPH[0] - 1 - inset, 300),
        "left": (200, inset),
        "right": (200, MICROGRAPH[1] - 1 - inset),
    }[edge]
    expected = Status.BORDER if to_edge < 1 else Status.OK
    assert picked(place).statuses.tolist() == [expected]


def test_margins_hold_no_picks_and_those_next_to_them_are_flagged():
    image = np.ones((100, 150), dtype=bool)
    image[:, :40] = False  # 160 micrograph pixels
    shown = replace(
        maps((200, 100), (200, 185), (200, 300)), margins=Margins((0, 0, 160, 0), image)
    )
    found = pick(shown, MICROGRAPH, PARTICLE_PX)
    by_column = dict(zip(found.positions[:, 1].round(), found.statuses, strict=True))
    assert by_column == {185: Status.BORDER, 300: Status.OK}


def test_a_particle_on_contamination_is_flagged_and_its_neighbour_is_not():
    found = picked((200, 100), (200, 500), ice=slice(100, 150))
    by_column = dict(zip(found.positions[:, 1].round(-1), found.statuses, strict=True))
    assert by_column == {100: Status.OK, 500: Status.CONTAMINATION}


def test_the_minimum_distance_is_in_diameters():
    both = maps((200, 200), (200, 200 + 0.7 * DIAMETER_PX))
    assert len(pick(both, MICROGRAPH, PARTICLE_PX, min_distance=0.5)) == 2
    assert len(pick(both, MICROGRAPH, PARTICLE_PX, min_distance=0.9)) == 1


def test_a_map_without_particles_gives_an_empty_table():
    found = picked()
    assert len(found) == 0
    assert found.positions.shape == (0, 2)
