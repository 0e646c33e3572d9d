"""Scores are probabilities, and the threshold follows from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from napari_cryopick.detection.calibration import (
    DOUBTED,
    best_threshold,
    calibrate,
    calibrated_logits,
    doubted,
    fit,
    match_expected_count,
)
from napari_cryopick.model.card import Calibration


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (1.7, -0.8), (0.6, 1.2)])
def test_a_known_line_is_found_again(slope, offset):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 6000)
    hits = rng.random(6000) < expit(slope * logits + offset)
    found = fit([logits], [hits])
    assert found.slope == pytest.approx(slope, abs=0.12)
    assert found.offset == pytest.approx(offset, abs=0.12)


def test_that_peaks_mean_less_on_empty_micrographs_is_learnt():
    rng = np.random.default_rng(0)
    truth = Calibration(slope=1.3, offset=1.0, density_prior=1.5)
    logits = [rng.normal(1.0 if full else -4.0, 1.0, 80) for full in (True, False) * 60]
    hits = [rng.random(80) < expit(calibrated_logits(each, truth)) for each in logits]
    assert fit(logits, hits).density_prior == pytest.approx(1.5, abs=0.5)
    assert fit(logits[::2], hits[::2]).density_prior == pytest.approx(0, abs=1e-3)


def test_without_evidence_heights_stay_what_they_are():
    assert fit([np.empty(0)], [np.empty(0, dtype=bool)]) == Calibration()


@pytest.mark.parametrize("hit", [True, False])
def test_a_few_peaks_of_one_kind_do_not_run_away(hit):
    found = fit([np.array([1.0, 2.0, 3.0])], [np.full(3, hit)])
    before, after = expit(2.0), expit(found.slope * 2 + found.offset)
    assert before < after < 0.99 if hit else 0.05 < after < before


def expected_f1(probabilities: np.ndarray, threshold: float) -> float:
    kept = probabilities[probabilities >= threshold]
    return 2 * kept.sum() / (len(kept) + probabilities.sum())


@settings(deadline=None)
@given(st.lists(st.floats(0.06, 1), min_size=1, max_size=60))
def test_no_other_threshold_promises_a_better_f1(scores):
    probabilities = np.array(scores)
    best = max(expected_f1(probabilities, t) for t in probabilities)
    assert expected_f1(probabilities, best_threshold(probabilities)) == pytest.approx(best)


def test_without_peaks_there_is_still_a_threshold():
    assert 0 < best_threshold(np.empty(0)) < 1


@given(st.floats(1, 60), st.floats(0, 3), st.integers(0, 20))
def test_scores_add_up_to_the_number_that_is_expected(expected, density_prior, seed):
    rng = np.random.default_rng(seed)
    heights = [rng.uniform(0.01, 0.99, 60), rng.uniform(0.01, 0.2, 40)]
    calibration = match_expected_count(
        heights, expected, Calibration(slope=2.0, density_prior=density_prior)
    )
    total = sum(calibrate(each, calibration).sum() for each in heights)
    assert total == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("expected", [0.0, 1000.0])
def test_an_impossible_number_does_no_harm(expected):
    calibration = match_expected_count([np.array([0.5, 0.9])], expected, Calibration())
    assert np.isfinite(calibration.offset)


def test_a_network_that_knows_its_clicks_is_doubted():
    assert doubted(np.full(10, 0.98)) == DOUBTED
    assert doubted(np.empty(0)) == DOUBTED


def test_a_network_that_is_timid_about_its_clicks_is_doubted_less():
    """So that at least those clicks are picked."""
    heights = np.array([0.3, 0.55, 0.6, 0.7])
    milder = doubted(heights)
    assert milder.offset > DOUBTED.offset
    logits = np.log(heights / (1 - heights))
    assert (expit(milder.slope * logits + milder.offset) > 0.5).mean() >= 0.5
