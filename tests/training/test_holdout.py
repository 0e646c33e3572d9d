"""Complete labels are split for validation, and show how near to the edges a person picks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.picks import Picks, Status
from napari_cryopick.settings import BORDER
from napari_cryopick.training.holdout import EVERYTHING, NOTHING, Rows, hold_out, kept_border

A = Path("a.mrc")
HEIGHT_PX = 600
SHAPE = (2000, 3000)
DIAMETER_PX = 100.0


def held(count: int, seed: int = 0) -> list[Rows]:
    tables = {
        Path(f"{i}.mrc"): Picks.at(np.random.default_rng(i).uniform(0, HEIGHT_PX, (20, 2)))
        for i in range(count)
    }
    heights = dict.fromkeys(tables, HEIGHT_PX)
    return list(hold_out(tables, heights, np.random.default_rng(seed)).values())


@pytest.mark.parametrize(("count", "whole"), [(5, 1), (10, 2), (14, 3)])
def test_every_fifth_of_many_micrographs_is_held_out(count, whole):
    chosen = held(count)
    assert chosen.count(EVERYTHING) == whole
    assert chosen.count(NOTHING) == count - whole


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_bottom_of_each_of_few_micrographs_is_held_out(count):
    assert held(count) == [(HEIGHT_PX * 5 / 6, np.inf)] * count


def test_a_seed_repeats_the_choice():
    assert held(10, seed=1) == held(10, seed=1)
    assert any(held(10, seed=1) != held(10, seed) for seed in (2, 3, 4))


def border(margin: float, count: int, seed: int = 0, status: str = Status.OK) -> float:
    """Return the border of picks anywhere but within so many diameters of the edges."""
    margin_px = margin * DIAMETER_PX
    far = np.subtract(SHAPE, 1) - margin_px
    positions = np.random.default_rng(seed).uniform(margin_px, far, (count, 2))
    picks = {A: Picks.at(positions, status=status)}
    return kept_border(picks, {A: SHAPE}, {A: DIAMETER_PX})


@given(st.floats(0.8, 1.7), st.integers(0, 20))
def test_a_margin_that_many_particles_keep_is_found(margin, seed):
    assert margin - 0.06 <= border(margin, 1000, seed) <= margin + 0.15


@given(st.integers(0, 1000), st.integers(0, 20))
def test_picks_everywhere_keep_the_default_border(count, seed):
    assert border(0, count, seed) == BORDER


def test_particles_in_the_middle_of_a_hole_are_no_rule():
    assert border(5, 1000) == BORDER


def test_a_few_picks_in_the_middle_say_nothing():
    assert border(2, 20) == BORDER


def test_deleted_picks_do_not_count():
    assert border(2, 1000, status=Status.DELETED) == BORDER


@pytest.mark.parametrize("tables", [{}, {A: Picks.at([])}])
def test_no_picks_no_border(tables):
    assert kept_border(tables, {A: SHAPE}, {A: DIAMETER_PX}) == BORDER
