"""From heights to figures of merit, with an eye on the rest of the micrograph."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.detection.calibration import calibrate
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


def test_on_a_full_micrograph_company_changes_nothing():
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
