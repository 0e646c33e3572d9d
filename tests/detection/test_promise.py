from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cryopick.detection.calibration import Promise


def test_scores_tell_precision_and_recall():
    promise = Promise.of([0.9, 0.8, 0.7], particles=3.0)
    assert promise.precision == pytest.approx(0.8)
    assert promise.recall == pytest.approx(0.8)
    assert str(promise) == "expect precision 0.80, recall 0.80"


def test_of_nothing_nothing_is_expected():
    assert str(Promise.of([], particles=2.0)) == "nothing to expect"
    assert isnan(Promise.of([], particles=0.0).recall)


@given(arrays(float, st.integers(1, 30), elements=st.floats(0.01, 1)), st.floats(0, 1))
def test_keeping_fewer_costs_recall_and_never_precision(scores, threshold):
    everything = Promise.of(scores, scores.sum())
    fewer = Promise.of(scores[scores >= threshold], scores.sum())
    assert everything.recall == pytest.approx(1.0)
    if not isnan(fewer.precision):
        assert fewer.recall <= everything.recall + 1e-9
        assert fewer.precision >= everything.precision - 1e-9
    assert np.isnan(fewer.precision) == (not (scores >= threshold).any())
