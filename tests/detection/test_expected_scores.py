from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cryopick.detection.calibration import ExpectedScores


def test_scores_tell_precision_and_recall():
    promise = ExpectedScores.of([0.9, 0.8, 0.7], particles=3.0)
    assert promise.precision == pytest.approx(0.8)
    assert promise.recall == pytest.approx(0.8)
    assert str(promise) == "expected precision 0.80, recall 0.80"


def test_of_nothing_nothing_is_expected():
    assert str(ExpectedScores.of([], particles=2.0)) == "no estimate of precision and recall"
    assert isnan(ExpectedScores.of([], particles=0.0).recall)


@given(arrays(float, st.integers(1, 30), elements=st.floats(0.01, 1)), st.floats(0, 1))
def test_keeping_fewer_costs_recall_and_never_precision(scores, threshold):
    everything = ExpectedScores.of(scores, scores.sum())
    fewer = ExpectedScores.of(scores[scores >= threshold], scores.sum())
    assert everything.recall == pytest.approx(1.0)
    if not isnan(fewer.precision):
        assert fewer.recall <= everything.recall + 1e-9
        assert fewer.precision >= everything.precision - 1e-9
    assert np.isnan(fewer.precision) == (not (scores >= threshold).any())
