"""Someone who has picked every particle, but none near the edges, does so on purpose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.picks import Picks, Status
from napari_cryopick.settings import BORDER
from napari_cryopick.training.holdout import kept_border

SHAPE = (2000, 3000)
DIAMETER_PX = 100.0


def border(margin: float, count: int, seed: int = 0, status: str = Status.OK) -> float:
    """Of picks anywhere but within so many diameters of the edges."""
    margin_px = margin * DIAMETER_PX
    far = np.subtract(SHAPE, 1) - margin_px
    positions = np.random.default_rng(seed).uniform(margin_px, far, (count, 2))
    picks = {"a": Picks.at(positions, status=status)}
    return kept_border(picks, {"a": SHAPE}, {"a": DIAMETER_PX})


@given(st.floats(0.8, 1.7), st.integers(0, 20))
def test_a_margin_that_many_particles_keep_is_found(margin, seed):
    assert margin - 0.06 <= border(margin, 1000, seed) <= margin + 0.15


@given(st.integers(0, 1000), st.integers(0, 20))
def test_picks_everywhere_keep_the_usual_border(count, seed):
    assert border(0, count, seed) == BORDER


def test_particles_in_the_middle_alone_are_no_rule():
    """As in the hole of a foil, whose rim nobody picks."""
    assert border(5, 1000) == BORDER


def test_a_few_picks_in_the_middle_say_nothing():
    assert border(2, 20) == BORDER


def test_deleted_picks_do_not_count():
    assert border(2, 1000, status=Status.DELETED) == BORDER


@pytest.mark.parametrize("tables", [{}, {"a": Picks.at([])}])
def test_no_picks_no_border(tables):
    assert kept_border(tables, {"a": SHAPE}, {"a": DIAMETER_PX}) == BORDER
