from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick.metrics.pixels import score_pixels


def test_figures_worked_out_by_hand():
    probability = np.array([[0.9, 0.8, 0.4], [0.7, 0.2, 0.1]])
    truth = np.array([[1, 1, 1], [0, 0, 0]])
    scores = score_pixels(probability, truth)
    assert (scores.precision, scores.recall, scores.f1) == (2 / 3, 2 / 3, pytest.approx(2 / 3))
    assert scores.iou == 2 / 4
    assert scores.roc_auc == pytest.approx(8 / 9)
    assert scores.average_precision == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_ranking_figures_do_not_depend_on_the_threshold():
    rng = np.random.default_rng(0)
    probability, truth = rng.uniform(size=(50, 50)), rng.uniform(size=(50, 50)) < 0.3
    low, high = (score_pixels(probability, truth, threshold=t) for t in (0.1, 0.9))
    assert low.roc_auc == high.roc_auc
    assert low.average_precision == high.average_precision
    assert low.recall > high.recall


@pytest.mark.parametrize(("level", "figure"), [(0.0, 1.0), (1.0, 0.0)])
def test_an_empty_mask_left_empty_is_perfect(level, figure):
    scores = score_pixels(np.full((4, 4), level), np.zeros((4, 4)))
    assert (scores.precision, scores.recall, scores.f1, scores.iou) == (figure,) * 4
    assert scores.to_dict()["roc_auc"] is None
