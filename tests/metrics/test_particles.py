from __future__ import annotations

import json
from math import isnan, sqrt
from time import process_time

import numpy as np
import pytest

from napari_cryopick.metrics.particles import Rates, precision_recall_curve, score_particles
from napari_cryopick.picks import Picks, Status

GRID = [[20, 20], [20, 80], [80, 20], [80, 80]]


def test_figures_worked_out_by_hand():
    truth = {"a": Picks.at(GRID), "b": Picks.at(GRID[:2]), "ice": Picks.at([])}
    found = {
        "a": Picks.at([[23, 24], [20, 80], [50, 50]], [0.9, 0.8, 0.6]),
        "b": Picks.at([[20, 22]], [0.7]),
        "unannotated": Picks.at(GRID, 1.0),
    }
    scores = score_particles(found, truth, diameter_px=20, pixel_size_angstrom=1.5)
    assert scores.macro == Rates(
        pytest.approx((2 / 3 + 1 + 1) / 3),
        pytest.approx((2 / 4 + 1 / 2 + 1) / 3),
        pytest.approx((4 / 7 + 2 / 3 + 1) / 3),
    )
    assert scores.micro == Rates(3 / 4, 3 / 6, 6 / 10)
    assert scores.average_precision == pytest.approx(3 / 6)
    assert (scores.best_f1, scores.best_f1_threshold) == (pytest.approx(6 / 9), 0.7)
    assert scores.centre_error_px == pytest.approx((5 + 0 + 2) / 3)
    assert scores.centre_error_angstrom == pytest.approx((5 + 0 + 2) / 3 * 1.5)
    assert scores.calibration_error == pytest.approx((0.1 + 0.2 + 0.3 + 0.6) / 4)
    assert (scores.micrographs, scores.found, scores.truth, scores.matched) == (3, 4, 6, 3)


def test_a_micrograph_without_picks_counts():
    scores = score_particles({"a": Picks.at(GRID)}, {"a": Picks.at(GRID), "b": Picks.at(GRID)}, 10)
    assert scores.macro == Rates(0.5, 0.5, 0.5)
    assert scores.micro == Rates(1, 0.5, 2 / 3)


@pytest.mark.parametrize(
    ("matched", "found", "truth", "rates"),
    [
        (0, 0, 0, Rates(1, 1, 1)),
        (0, 3, 0, Rates(0, 0, 0)),
        (0, 0, 3, Rates(0, 0, 0)),
        (2, 2, 4, Rates(1, 0.5, 2 / 3)),
    ],
)
def test_an_empty_micrograph_left_empty_is_perfect_and_worthless_otherwise(
    matched, found, truth, rates
):
    assert Rates.of(matched, found, truth) == rates


def test_a_threshold_drops_picks_but_leaves_the_curve():
    truth = {"a": Picks.at(GRID)}
    found = {"a": Picks.at([*GRID, [50, 50]], [0.9, 0.8, 0.3, 0.2, 0.1])}
    every, some = (score_particles(found, truth, 20, threshold=t) for t in (None, 0.3))
    assert (every.matched, every.found) == (4, 5)
    assert (some.matched, some.found) == (3, 3)
    assert some.average_precision == every.average_precision == 1
    assert (every.best_f1, every.best_f1_threshold) == (1, 0.2)


def test_one_particle_is_found_once():
    found = {"a": Picks.at([[20, 20], [21, 20], [22, 20]], [0.3, 0.9, 0.6])}
    truth = {"a": Picks.at([[20, 20]])}
    scores = score_particles(found, truth, 20)
    assert (scores.matched, scores.centre_error_px) == (1, 0)
    assert scores.average_precision == 1  # on the curve the best pick comes first


def test_only_picks_that_are_ok_count():
    statuses = [Status.OK, Status.BORDER, Status.CONTAMINATION, Status.DELETED]
    picks = {"a": Picks.at(GRID, status=statuses)}
    scores = score_particles(picks, picks, 20)
    assert (scores.found, scores.truth, scores.matched) == (1, 1, 1)


def test_picks_without_scores_count_as_certain():
    truth = {"a": Picks.at(GRID)}
    found = {"a": Picks.at([*GRID[:3], [50, 50]])}
    scores = score_particles(found, truth, 20, threshold=0.9)
    assert scores.micro == Rates(0.75, 0.75, 0.75)
    assert scores.average_precision == 0.75**2
    assert scores.best_f1 == 0.75
    assert isnan(scores.calibration_error)


def test_a_pair_is_at_most_half_a_diameter_apart():
    truth = {"a": Picks.at([[50, 50]])}
    found = {"a": Picks.at([[50 + 6, 50 + 8]])}
    assert score_particles(found, truth, 20).matched == 1
    assert score_particles(found, truth, 19.9).matched == 0


def test_picks_at_ignored_places_are_neither_right_nor_wrong():
    truth = {"a": Picks.at(GRID[:2])}
    found = {"a": Picks.at([[20, 20], [23, 20], [50, 50], [80, 80]], [0.9, 0.8, 0.7, 0.6])}
    ignored = {"a": Picks.at([[50, 52], [20, 80], [81, 81], [28, 20]]), "b": Picks.at(GRID)}
    plain, scores = (score_particles(found, truth, 20, ignored=i) for i in (None, ignored))
    assert (plain.found, plain.truth, plain.matched, plain.ignored) == (4, 2, 1, 0)
    assert (scores.found, scores.truth, scores.matched, scores.ignored) == (1, 2, 1, 3)
    assert scores.micro == scores.macro == Rates(1, 1 / 2, 2 / 3)
    assert plain.average_precision == scores.average_precision == 1 / 2


def test_an_ignored_place_excuses_one_pick_and_takes_none_from_a_particle():
    truth = {"a": Picks.at([[20, 20]])}
    found = {"a": Picks.at([[20, 24], [20, 27], [20, 28]], [0.5, 0.9, 0.8])}
    ignored = {"a": Picks.at([[20, 24]])}
    scores = score_particles(found, truth, 20, ignored=ignored)
    assert (scores.found, scores.matched, scores.ignored) == (2, 1, 1)
    assert scores.centre_error_px == 4
    assert scores.best_f1 == 1  # by score, 0.9 is the particle and 0.8 at the ignored place


def test_json_knows_no_nan():
    nothing = score_particles({}, {"a": Picks.at([])}, 20).to_dict()
    assert json.loads(json.dumps(nothing, allow_nan=False))["centre_error_px"] is None
    assert nothing["macro"] == {"precision": 1, "recall": 1, "f1": 1}


def test_thirty_crowded_micrographs_take_less_than_a_second():
    rng = np.random.default_rng(0)
    truth = {k: Picks.at(rng.uniform(0, 4096, (1000, 2))) for k in range(30)}
    found = {
        k: Picks.at(picks.positions + rng.normal(0, 15, (1000, 2)), rng.uniform(size=1000))
        for k, picks in truth.items()
    }
    start = process_time()
    scores = score_particles(found, truth, 100)
    assert process_time() - start < 1
    assert scores.centre_error_px == pytest.approx(15 * sqrt(np.pi / 2), rel=0.05)


def test_the_curve_ends_where_every_pick_is_kept():
    rng = np.random.default_rng(1)
    truth = {"a": Picks.at(rng.uniform(0, 500, (100, 2)))}
    found = {"a": Picks.at(rng.uniform(0, 500, (80, 2)), rng.uniform(size=80))}
    curve = precision_recall_curve(found, truth, 40)
    kept = curve.true_positives + curve.false_positives
    assert kept[-1] == 80
    assert np.all(np.diff(curve.recall) >= 0)
