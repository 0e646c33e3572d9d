from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick.metrics.curves import expected_calibration_error


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
