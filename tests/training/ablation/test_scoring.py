"""Scores of models on test micrographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import Picks
from napari_cryopick.training.ablation.scoring import FIXED, Evidence


@pytest.fixture
def evidence() -> Evidence:
    """A map and a picker that are right, but shy: nothing reaches a half."""
    path, spots = Path("a.mrc"), [(10, 10), (10, 50), (40, 30)]
    discs = np.array([True] * 4 + [False] * 6)
    return Evidence(
        found={path: Picks.at([*spots, (60, 60)], scores=[0.4, 0.4, 0.4, 0.1])},
        truth={path: Picks.at(spots)},
        area=np.where(discs, 0.3, 0.1).astype(np.float32),
        discs=discs,
        diameter_px=10,
        pixel_threshold=0.2,
        particle_threshold=0.3,
    )


def test_fixed_thresholds_miss_what_adaptive_ones_find(evidence: Evidence) -> None:
    fixed, adaptive = evidence.scores(adaptive=False), evidence.scores(adaptive=True)
    assert (fixed.pixel_f1, fixed.particle_f1) == (0, 0)
    assert (adaptive.pixel_f1, adaptive.pixel_iou, adaptive.particle_f1) == (1, 1, 1)
    assert (fixed.pixel_threshold, fixed.particle_threshold) == (FIXED, FIXED)
    assert (adaptive.pixel_threshold, adaptive.particle_threshold) == (0.2, 0.3)


def test_areas_do_not_depend_on_thresholds(evidence: Evidence) -> None:
    for adaptive in (False, True):
        scores = evidence.scores(adaptive)
        assert scores.pixel_roc_auc == 1
        assert scores.average_precision == 1
