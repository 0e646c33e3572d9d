"""Scores are probabilities; threshold, expected precision and recall follow from them."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from napari_cryopick.detection.calibration import (
    ExpectedScores,
    best_threshold,
    calibrate,
    calibrate_by_classes,
    calibrate_by_clicks,
    calibrated_logits,
    fit,
    match_expected_count,
)
from napari_cryopick.model.card import Calibration

WITH_PRIOR = Calibration(slope=1.4, offset=1.7, density_prior=1.3)
CROWD, WASTE = np.full(60, 0.8), np.full(60, 0.02)


def test_scores_are_heights_unless_they_are_calibrated():
    heights = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(calibrate(heights, Calibration()), heights, atol=1e-5)


def test_calibration_bends_scores_but_keeps_their_order():
    heights = np.linspace(0.01, 0.99, 50)
    scores = calibrate(heights, Calibration(slope=2.0, offset=-1.0))
    expected = 1 / (1 + np.exp(1) * ((1 - heights) / heights) ** 2)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert (np.diff(scores) > 0).all()


def test_a_peak_is_less_likely_where_no_other_looks_like_a_particle():
    among_many, alone = (calibrate(np.append(0.4, rest), WITH_PRIOR)[0] for rest in (CROWD, WASTE))
    assert alone < among_many / 2


def test_on_a_full_micrograph_the_density_prior_changes_nothing():
    np.testing.assert_array_equal(
        calibrate(CROWD, WITH_PRIOR),
        calibrate(CROWD, WITH_PRIOR.model_copy(update={"density_prior": 0.0})),
    )


@given(st.lists(st.floats(0, 1), max_size=40))
def test_scores_are_probabilities_in_the_order_of_heights(heights):
    ranked = np.sort(heights)
    scores = calibrate(ranked, WITH_PRIOR)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.diff(scores) >= 0).all()


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
def test_no_other_threshold_has_a_higher_expected_f1(scores):
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


PRIOR = Calibration(slope=1.5, offset=0.5, offset_sd=2.0)


def drawn(offset: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the heights of peaks, and which are particles by a line with another offset."""
    logits = np.concatenate([rng.normal(1, 1, 150), rng.normal(-2.5, 1, 350)])
    return expit(logits), rng.random(500) < expit(PRIOR.slope * logits + offset)


def counted(heights: np.ndarray, calibration: Calibration) -> float:
    return float(calibrate(heights, calibration).sum())


def clicked(particles: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    clicks = np.zeros(len(particles), dtype=bool)
    clicks[rng.choice(np.flatnonzero(particles), count, replace=False)] = True
    return clicks


@pytest.mark.parametrize("offset", [-2.0, 3.0])
def test_clicks_correct_a_number_of_particles_that_is_wrong(offset):
    """Too many are expected where particles are rare, too few where they are faint."""
    errors = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        heights, particles = drawn(offset, rng)
        found = calibrate_by_clicks([heights], [clicked(particles, 20, rng)], PRIOR, 0.4)
        errors.append(abs(counted(heights, found) - particles.sum()))
    assert np.mean(errors) < 0.5 * abs(counted(heights, PRIOR) - particles.sum())


def test_clicks_that_agree_with_the_scores_change_little():
    counts = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        heights, particles = drawn(PRIOR.offset, rng)
        found = calibrate_by_clicks([heights], [clicked(particles, 20, rng)], PRIOR, 0.4)
        counts.append(counted(heights, found) / counted(heights, PRIOR))
        assert found.offset_sd < PRIOR.offset_sd
    assert np.mean(counts) == pytest.approx(1.0, abs=0.1)


def test_clicks_do_not_move_a_calibration_that_held_out_labels_have_fitted():
    rng, fitted = np.random.default_rng(0), PRIOR.model_copy(update={"offset_sd": 0.0})
    heights, particles = drawn(3.0, rng)
    found = calibrate_by_clicks([heights], [clicked(particles, 20, rng)], fitted, 0.4)
    np.testing.assert_allclose(calibrate(heights, found), calibrate(heights, fitted), atol=1e-6)


def test_clicks_that_only_add_what_was_missed_say_nothing_of_all_particles():
    rng = np.random.default_rng(0)
    heights, particles = drawn(PRIOR.offset, rng)
    missed = particles & (calibrate(heights, PRIOR) < 0.4)
    nothing = np.zeros_like(missed)
    added = calibrate_by_clicks([heights], [clicked(missed, 10, rng)], PRIOR, 0.4)
    assert added == calibrate_by_clicks([heights], [nothing], PRIOR, 0.4)


@pytest.mark.parametrize("offset", [-2.0, 3.0])
def test_classes_correct_a_number_of_particles_that_is_wrong(offset):
    """Only three peaks of four are members of a marked class, and a few are in the wrong one."""
    rng = np.random.default_rng(0)
    heights, particles = drawn(offset, rng)
    marked = rng.random(len(heights)) < 0.75
    hits = particles ^ (rng.random(len(heights)) < 0.02)
    found = calibrate_by_classes([heights], [marked & hits], [marked & ~hits], PRIOR)
    error = abs(counted(heights, found) - particles.sum())
    assert error < 0.5 * abs(counted(heights, PRIOR) - particles.sum())
    assert found.offset_sd < PRIOR.offset_sd


def test_precision_and_recall_follow_from_scores():
    expected = ExpectedScores.of([0.9, 0.8, 0.7, 0.6], [True, True, True, False])
    assert expected.precision == pytest.approx(0.8)
    assert expected.recall == pytest.approx(0.8)
    assert str(expected) == "expected precision 0.80, recall 0.80"


def test_of_nothing_nothing_is_expected():
    for scores in ([], [0.2, 0.3]):
        expected = ExpectedScores.of(scores, np.zeros(len(scores), dtype=bool))
        assert isnan(expected.precision)
        assert isnan(expected.recall)
        assert str(expected) == "precision and recall are not known"


def test_nothing_is_expected_where_the_number_of_particles_is_in_doubt():
    doubtful, clear = np.array([0.7, 0.6, 0.4, 0.3]), np.array([0.999, 0.998, 0.001, 0.001])
    assert ExpectedScores.of(doubtful, doubtful > 0.5).known
    assert not ExpectedScores.of(doubtful, doubtful > 0.5, offset_sd=1.0).known
    assert ExpectedScores.of(clear, clear > 0.5, offset_sd=1.0).known


@given(arrays(float, st.integers(1, 50), elements=st.floats(0, 1)), st.floats(0, 1))
def test_keeping_fewer_costs_recall_and_never_precision(scores, threshold):
    everything = ExpectedScores.of(scores, np.ones(len(scores), dtype=bool))
    kept = ExpectedScores.of(scores, scores >= threshold)
    assert not kept.precision < everything.precision - 1e-9
    assert not kept.recall > everything.recall + 1e-9
