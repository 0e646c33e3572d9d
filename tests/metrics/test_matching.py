"""Found and true positions are paired, and two models compared."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.metrics.matching import changes, match
from napari_cryopick.picks import Picks

coordinates = st.integers(0, 12).map(float)
points = st.lists(st.tuples(coordinates, coordinates), max_size=12)
radii = st.sampled_from([0.5, 1.0, 3.0, 20.0])


def greedy(found, truth, radius_px, scores=None):
    """The definition, slowly."""
    scores = scores if scores is not None else [0.0] * len(found)
    candidates = sorted(
        (-scores[i], np.hypot(a[0] - b[0], a[1] - b[1]), i, j)
        for (i, a), (j, b) in product(enumerate(found), enumerate(truth))
    )
    pairs = {}
    for _, distance, i, j in candidates:
        if distance <= radius_px and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


@given(points, points, radii)
def test_closest_pairs_go_first(found, truth, radius_px):
    matches = match(found, truth, radius_px)
    pairs = dict(zip(matches.found.tolist(), matches.truth.tolist(), strict=True))
    assert pairs == greedy(found, truth, radius_px)


@given(points, points, radii, st.data())
def test_best_scores_go_first(found, truth, radius_px, data):
    scores = data.draw(
        st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=len(found), max_size=len(found))
    )
    matches = match(found, truth, radius_px, scores)
    pairs = dict(zip(matches.found.tolist(), matches.truth.tolist(), strict=True))
    assert pairs == greedy(found, truth, radius_px, scores)


@given(points, points, radii)
def test_pairs_are_one_to_one_within_the_radius_and_none_is_left(found, truth, radius_px):
    matches = match(found, truth, radius_px)
    assert len(set(matches.found)) == len(set(matches.truth)) == len(matches)
    assert (matches.distances_px <= radius_px).all()
    for i, j in product(range(len(found)), range(len(truth))):
        free = i not in matches.found and j not in matches.truth
        assert not free or np.hypot(*np.subtract(found[i], truth[j])) > radius_px


@given(points, points, radii, st.data())
def test_worse_picks_do_not_change_better_ones(found, truth, radius_px, data):
    scores = np.array(
        data.draw(st.lists(st.floats(0, 1), min_size=len(found), max_size=len(found)))
    )
    kept = np.flatnonzero(scores >= 0.5)
    all_of_them = match(found, truth, radius_px, scores)
    better = match(np.reshape(found, (-1, 2))[kept], truth, radius_px, scores[kept])
    among = np.isin(all_of_them.found, kept)
    assert kept[better.found].tolist() == all_of_them.found[among].tolist()
    assert better.truth.tolist() == all_of_them.truth[among].tolist()


def test_swapping_the_lists_swaps_the_pairs():
    rng = np.random.default_rng(0)
    found, truth = rng.uniform(0, 100, (2, 300, 2))
    there, back = match(found, truth, 5), match(truth, found, 5)
    assert sorted(zip(there.found, there.truth, strict=True)) == sorted(
        zip(back.truth, back.found, strict=True)
    )


def test_the_radius_is_inclusive():
    assert len(match([[0, 0]], [[3, 4]], 5)) == 1
    assert len(match([[0, 0]], [[3, 4]], 4.999)) == 0


@pytest.mark.parametrize(("found", "truth"), [([], []), ([], [[1, 2]]), ([[1, 2]], [])])
def test_nothing_matches_nothing(found, truth):
    assert len(match(found, truth, 5)) == 0


def test_changes_between_two_models_come_by_micrograph_most_of_them_first():
    before = {"a": Picks.at([[10, 10], [50, 50]]), "b": Picks.at([[10, 10]])}
    after = {"a": Picks.at([[12, 10], [80, 80]]), "c": Picks.at([[1, 1], [30, 30], [60, 60]])}
    c, a, b = changes(before, after, diameter_px=20)
    assert [change.micrograph for change in (c, a, b)] == ["c", "a", "b"]
    assert a.kept.tolist() == [[12, 10]]
    assert a.gained.tolist() == [[80, 80]]
    assert a.lost.tolist() == [[50, 50]]
    assert (len(c), len(a), len(b)) == (3, 2, 1)
