"""Scores that count what classes say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.classification.events import Classes, Classified, Members
from napari_cryopick.classification.evidence import particle_probabilities
from napari_cryopick.classification.refine import refine

HERE, THERE = Path("here.mrc"), Path("there.mrc")
GOOD, BAD = 1, 2


def classes_of(resolutions_angstrom: list[float], members: list[int]) -> Classes:
    count = len(members)
    nothing = np.zeros(count)
    return Classes(
        np.zeros((count, 8, 8), np.float32),
        5.0,
        150.0,
        np.array(members),
        nothing,
        nothing,
        nothing,
        nothing,
        np.zeros((count, 4)),
        np.array(resolutions_angstrom),
    )


def found(scores: np.ndarray, numbers: np.ndarray) -> tuple[Picks, Members]:
    """Return picks and the classes they are in; members of the good class fit better."""
    n = len(scores)
    correlations = np.where(numbers == GOOD, 0.4, 0.2)
    positions = np.column_stack([np.arange(n), np.arange(n)])
    picks = Picks.at(positions, scores, Source.MODEL)
    return picks, Members(
        numbers, np.zeros(n), np.zeros((n, 2)), np.where(numbers, correlations, np.nan)
    )


@pytest.fixture
def drawn():
    """Picks on two micrographs, those of the good class mostly with higher scores."""
    rng = np.random.default_rng(0)
    picks, members = {}, {}
    for path in (HERE, THERE):
        numbers = np.repeat([GOOD, BAD, 0], [40, 50, 10])
        scores = np.clip(rng.normal(np.where(numbers == GOOD, 0.6, 0.4), 0.2), 0.05, 0.95)
        picks[path], members[path] = found(scores, numbers)
    return picks, members


def test_picks_of_a_good_class_gain_and_the_number_stays_where_shapes_show(drawn):
    picks, members = drawn
    refined = refine(picks, Classified(classes_of([30, 30], [80, 100]), members))
    for path, table in picks.items():
        new = dict(zip(map(tuple, refined[path].positions), refined[path].scores, strict=True))
        gain = np.array([new[tuple(at)] for at in table.positions]) - table.scores
        good = members[path].classes == GOOD
        assert gain[good].mean() > gain[~good].mean() + 0.05
        assert (np.diff(refined[path].scores) <= 0).all()
    totals = [sum(t.scores.sum() for t in each.values()) for each in (picks, refined)]
    assert totals[1] == pytest.approx(totals[0], rel=1e-6)


def test_where_few_classes_show_a_shape_simulated_runs_say_how_many_particles_there_are(drawn):
    picks, members = drawn
    refined = refine(picks, Classified(classes_of([120, 30], [179, 1]), members))
    likely = [
        particle_probabilities(
            np.concatenate([picks[path].scores for path in picks]),
            np.concatenate([members[path].classes for path in picks]),
            np.concatenate([members[path].correlations for path in picks]),
        ).sum()
    ]
    assert sum(t.scores.sum() for t in refined.values()) == pytest.approx(likely[0], rel=0.02)


def test_where_no_class_shows_a_shape_nothing_is_claimed(drawn):
    picks, members = drawn
    assert refine(picks, Classified(classes_of([150, 120], [80, 100]), members)) is None


def test_picks_without_scores_stay_without(drawn):
    picks, members = drawn
    picks[HERE].scores[:] = np.nan
    refined = refine(picks, Classified(classes_of([30, 30], [80, 100]), members))
    assert np.isnan(refined[HERE].scores).all()
    assert np.isfinite(refined[THERE].scores).all()


def test_a_micrograph_without_picks_or_members_is_left_as_it_is(drawn):
    picks, members = drawn
    other, empty = Path("other.mrc"), Path("empty.mrc")
    picks[other], picks[empty] = Picks.at([(1, 1)], 0.5), Picks.at([])
    members[empty] = Members(np.zeros(0, int), np.zeros(0), np.zeros((0, 2)), np.zeros(0))
    refined = refine(picks, Classified(classes_of([30, 30], [80, 100]), members))
    assert refined[other].scores == 0.5
    assert len(refined[empty]) == 0


def test_probabilities_rise_with_score_class_and_correlation():
    numbers, scores = np.array([1, 1, 2, 2]), np.array([0.3, 0.9, 0.3, 0.1])
    likely = particle_probabilities(scores, numbers, np.array([0.2, 0.2, 0.2, 0.2]))
    assert likely[1] > likely[0] > likely[2] > likely[3]
    better = particle_probabilities(scores, numbers, np.array([0.4, 0.2, 0.2, 0.2]))
    assert better[0] > likely[0]
    nothing = np.empty(0)
    assert not len(particle_probabilities(nothing, nothing.astype(int), nothing))
