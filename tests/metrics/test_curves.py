"""Precision-recall and ROC curves, and calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.metrics.curves import expected_calibration_error, score_curve

scored = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.booleans()), min_size=1)


@given(scored, st.integers(0, 3))
def test_average_precision_is_the_sum_over_distinct_thresholds(rows, without_score):
    scores, hits = (np.array(column) for column in zip(*rows, strict=True))
    positives = int(hits.sum()) + without_score
    expected, reached = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        kept = hits[scores >= threshold]
        recall = kept.sum() / max(positives, 1)
        expected += kept.mean() * (recall - reached)
        reached = recall
    curve = score_curve(scores, hits, positives)
    assert curve.average_precision == pytest.approx(expected if positives else np.nan, nan_ok=True)


@given(scored)
def test_roc_auc_is_the_chance_to_rank_a_positive_higher(rows):
    scores, hits = (np.array(column) for column in zip(*rows, strict=True))
    difference = scores[hits][:, None] - scores[~hits]
    expected = np.mean((difference > 0) + 0.5 * (difference == 0)) if difference.size else np.nan
    curve = score_curve(scores, hits, int(hits.sum()))
    assert curve.roc_auc == pytest.approx(expected, nan_ok=True)


def test_a_curve_worked_out_by_hand():
    curve = score_curve([0.9, 0.8, 0.8, 0.3], [True, True, False, True], positives=4)
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.3]
    assert curve.precision.tolist() == [1, 2 / 3, 3 / 4]
    assert curve.recall.tolist() == [1 / 4, 2 / 4, 3 / 4]
    assert curve.average_precision == pytest.approx(1 / 4 * (1 + 2 / 3 + 3 / 4))
    assert curve.best_f1 == (0.75, 0.3)


def test_no_scores_find_nothing():
    curve = score_curve([], [], positives=3)
    assert curve.average_precision == 0
    assert curve.best_f1[0] == 0
    assert np.isnan(curve.roc_auc)


def test_promise_is_compared_with_outcome_bin_by_bin():
    scores = [0.9, 0.95, 0.2, 0.3]  # three bins
    hits = [True, False, False, True]
    expected = (2 * abs(0.925 - 0.5) + abs(0.2 - 0) + abs(0.3 - 1)) / 4
    assert expected_calibration_error(scores, hits) == pytest.approx(expected)


def test_scores_that_are_probabilities_have_no_error():
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=200_000)
    assert expected_calibration_error(scores, rng.uniform(size=len(scores)) < scores) < 0.01
    assert expected_calibration_error(scores, np.ones(len(scores), bool)) == pytest.approx(
        0.5, abs=0.01
    )


def test_certainty_may_be_right():
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0


@pytest.mark.parametrize("scores", [[], [-0.1, 0.5], [0.5, 3.2]])
def test_what_is_no_probability_cannot_be_calibrated(scores):
    assert np.isnan(expected_calibration_error(scores, [True] * len(scores)))
