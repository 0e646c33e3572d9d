"""Some human labels judge and do not teach; few labels all teach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.holdout import FEWEST_PICKS, HeldOut, hold_out

HEIGHT_PX = 600


def table(count: int, seed: int = 0) -> Picks:
    return Picks.at(np.random.default_rng(seed).uniform(0, HEIGHT_PX, (count, 2)))


def held(tables: dict[str, Picks], complete: bool = False, seed: int = 0) -> dict[str, HeldOut]:
    heights = dict.fromkeys(tables, HEIGHT_PX)
    return hold_out(tables, heights, complete, np.random.default_rng(seed))


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(0, 100))
def test_a_fifth_of_the_clicks_judges_if_there_are_enough(counts, seed):
    tables = {str(i): table(n) for i, n in enumerate(counts)}
    chosen = held(tables, seed=seed)
    assert {key: len(h.picks) for key, h in chosen.items()} == {
        key: len(t) for key, t in tables.items()
    }
    expected = round(sum(counts) / 5) if sum(counts) >= FEWEST_PICKS else 0
    assert sum(h.picks.sum() for h in chosen.values()) == expected
    assert not any(chosen[key].within(t.positions).any() for key, t in tables.items())


def test_ten_clicks_all_teach():
    assert not held({"a": table(10)})["a"].picks.any()


def test_a_deleted_pick_is_never_a_judge():
    statuses = [Status.DELETED] * 80 + [Status.OK] * 20
    picks = Picks.at(table(100).positions, status=statuses)
    chosen = held({"a": picks})["a"].picks
    assert chosen.sum() == 4
    assert not chosen[:80].any()


@pytest.mark.parametrize("complete", [False, True])
def test_a_seed_repeats_the_choice(complete):
    tables = {str(i): table(20, i) for i in range(10)}

    def chosen(seed: int) -> list:
        return [h.picks.tolist() for h in held(tables, complete, seed).values()]

    assert chosen(1) == chosen(1)
    assert any(chosen(1) != chosen(seed) for seed in (2, 3, 4))


@pytest.mark.parametrize(("count", "whole"), [(5, 1), (10, 2), (14, 3)])
def test_of_many_complete_micrographs_every_fifth_judges(count, whole):
    tables = {str(i): table(20, i) for i in range(count)}
    chosen = held(tables, complete=True)
    judges = [key for key, h in chosen.items() if h.picks.any()]
    assert len(judges) == whole
    everywhere = np.array([[-0.5, 3.0], [HEIGHT_PX - 0.5, 3.0]])
    for key, h in chosen.items():
        assert h.picks.all() == (key in judges)
        assert h.within(everywhere).tolist() == [key in judges] * 2


@pytest.mark.parametrize("count", [1, 2, 4])
def test_of_few_complete_micrographs_the_bottom_of_each_judges(count):
    tables = {str(i): table(60, i) for i in range(count)}
    for key, h in held(tables, complete=True).items():
        below = tables[key].positions[:, 0] >= HEIGHT_PX * 5 / 6
        np.testing.assert_array_equal(h.picks, below)
        np.testing.assert_array_equal(h.within(tables[key].positions), below)
        assert 0 < below.sum() < 20


def test_a_micrograph_without_particles_may_be_complete():
    chosen = held({"empty": Picks.at([]), "full": table(60)}, complete=True)
    assert len(chosen["empty"].picks) == 0
    assert chosen["full"].picks.any()
