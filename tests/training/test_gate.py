"""A collapsed teacher must not teach, and only what is better is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_cryopick.model.card import Calibration
from napari_cryopick.model.unet import AREA_RADIUS
from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.evidence import Evidence
from napari_cryopick.training.gate import (
    CROWDED,
    FEWEST_FOUND,
    FILLED,
    LOSS,
    SETTLED,
    TIE,
    Standing,
    collapsed,
    compare,
    decide,
)
from napari_cryopick.training.judging import Judgement
from napari_cryopick.training.pseudo_labels import View
from napari_cryopick.training.targets import distances

GRID = [(y, x) for y in range(15, 150, 30) for x in range(15, 180, 30)]
"""30 particles, well apart."""

SAME, OTHER = (np.array([(y, x) for x in range(20, 380, 40)]) for y in (40, 300))
"""Nine positions in micrograph pixels each."""

figures = st.floats(0, 1)


def standing(f1: float = 0.8, average_precision: float = 0.8) -> Standing:
    """Of a model that held-out labels have measured."""
    tables = {Path("a.mrc"): Picks.at([])}
    return Standing(Judgement(Calibration(), 0.5, f1, average_precision, nan, nan, tables))


def witnessed(
    ranks: Sequence[float], agreed: int = 6, kept: int = 9, expected: float = 9.0
) -> Standing:
    """Of a model whose two jurors agree on so many of nine picks, whatever it thinks of itself."""
    tables = [Picks.at(SAME, 0.9), Picks.at(np.concatenate([SAME[:agreed], OTHER[agreed:]]), 0.9)]
    evidence = Evidence(
        np.array(ranks, dtype=float), kept, expected, [[each] for each in tables], 40.0
    )
    return replace(standing(), evidence=evidence)


def with_area(view: View, radius: float) -> View:
    """The same view with areas of so many diameters around its peaks."""
    positions = view.example.rescaling.to_network(view.peaks.positions)
    away = distances(view.maps.area.shape, positions).numpy()
    return replace(view, maps=replace(view.maps, area=(away < 20 * radius).astype(np.float32)))


# the gate


@pytest.fixture
def collapses(see) -> dict[str, str]:
    """What is said of teachers that have collapsed, each in its own way."""
    usual = see(GRID, 0.9)
    everywhere = [(y, x) for y in range(5, 156, 10) for x in range(5, 188, 10)]
    found = witnessed([1, 2, 3, 4])
    return {
        "nothing": collapsed([see(GRID, 0.2)], found),
        "no peaks": collapsed([see(), see()], found),
        "everything": collapsed([see(everywhere, 0.9)], found),
        "large": collapsed([with_area(usual, 0.8)], found),
        "small": collapsed([with_area(usual, 0.9 * AREA_RADIUS * FILLED**0.5)], found),
        "lost": collapsed([usual], witnessed([1, *[np.inf] * 9])),
    }


def test_each_collapse_has_its_own_advice(collapses):
    assert collapses["nothing"] == collapses["no peaks"]
    assert "picks nothing" in collapses["nothing"]
    assert "nearly everything (304 particles per micrograph)" in collapses["everything"]
    assert "much larger than the diameter says" in collapses["large"]
    assert "much smaller than the diameter says" in collapses["small"]
    assert "find only 10% of your clicks" in collapses["lost"]
    for one, other in combinations(["nothing", "everything", "large", "small", "lost"], 2):
        assert collapses[one] != collapses[other]


def test_advice_is_one_sentence_that_says_what_to_do(collapses):
    for advice in collapses.values():
        assert advice.endswith(".")
        assert "\n" not in advice
        assert any(word in advice for word in ("click", "check", "delete"))


def test_a_healthy_teacher_may_teach(see):
    view = see(GRID, 0.9)
    assert collapsed([view], standing()) == ""
    assert collapsed([view], witnessed([1, 2, 3, np.inf])) == ""
    assert collapsed([with_area(view, 0.6)], standing()) == ""
    assert collapsed([with_area(view, 1.2 * AREA_RADIUS * FILLED**0.5)], standing()) == ""


def test_empty_and_dense_micrographs_together_are_no_collapse(see):
    dense = [(y, x) for y in range(12, 150, 20) for x in range(12, 180, 20)]
    assert len(dense) * np.pi * 10**2 < CROWDED * 160 * 192
    assert collapsed([see(dense, 0.9), see(), see()], standing()) == ""
    assert collapsed([see(dense, 0.9)], standing()) == ""


def test_picks_on_contamination_and_at_borders_do_not_count(see):
    statuses = np.where(np.arange(len(GRID)) % 2, Status.CONTAMINATION, Status.BORDER)
    assert "picks nothing" in collapsed([see(GRID, 0.9, statuses)], standing())


def test_so_few_clicks_found_are_just_enough(see):
    clicks = 20
    found = int(np.ceil(FEWEST_FOUND * clicks))
    view, ranks = see(GRID, 0.9), np.ones(clicks)
    ranks[found:] = np.inf
    assert collapsed([view], witnessed(ranks, kept=200)) == ""
    ranks[found - 1 :] = np.inf
    assert "of your clicks" in collapsed([view], witnessed(ranks, kept=200))


# comparing


def test_what_is_better_is_kept_and_the_reason_holds_both_figures():
    verdict = compare(standing(0.8, 0.7), standing(0.85, 0.75))
    assert verdict.accepted
    assert verdict.reason == (
        "Kept, for it is better on held-out labels: F1 0.800 to 0.850, average precision 0.700 to "
        "0.750."
    )


def test_what_is_worse_is_rolled_back_with_both_figures():
    verdict = compare(standing(0.8, 0.7), standing(0.6, 0.65))
    assert not verdict.accepted
    assert verdict.reason.startswith("Rolled back, for it is worse on held-out labels: ")
    assert "F1 0.800 to 0.600, average precision 0.700 to 0.650." in verdict.reason


@given(f1=figures, average_precision=figures, share=st.floats(0, 0.99))
def test_ties_keep_the_older(f1, average_precision, share):
    before = standing(f1, average_precision)
    verdict = compare(before, standing(f1 + share * TIE, average_precision))
    assert not verdict.accepted
    assert "no better" in verdict.reason
    assert not compare(before, before).accepted


@given(*[figures] * 4)
def test_of_two_at_most_one_replaces_the_other(f1, precision, new_f1, new_precision):
    one, other = standing(f1, precision), standing(new_f1, new_precision)
    assert not (compare(one, other).accepted and compare(other, one).accepted)


@given(f1=figures, average_precision=figures, gain=st.floats(0, 0.5))
def test_no_gain_makes_up_for_a_loss_of_the_other_figure(f1, average_precision, gain):
    assume(average_precision > 0.05)
    after = standing(f1 + gain, average_precision - 1.1 * LOSS)
    assert not compare(standing(f1, average_precision), after).accepted


def test_a_small_loss_may_be_made_up_for():
    assert compare(standing(0.8, 0.8), standing(0.8 + 2 * LOSS + TIE, 0.8 - LOSS / 2)).accepted


def test_figures_that_are_not_known_say_nothing():
    assert not compare(standing(0.8, nan), standing(0.8, nan)).accepted
    assert compare(standing(0.8, nan), standing(0.9, nan)).accepted
    assert not compare(standing(nan, nan), standing(nan, nan)).accepted


# clicks


def test_a_first_model_is_kept_and_so_is_every_one_where_all_are_to_be():
    assert decide(None, standing(0.1)).accepted
    assert not decide(standing(0.8), standing(0.7)).accepted
    assert decide(standing(0.8), standing(0.7), always_accept=True).accepted


def test_where_labels_are_incomplete_models_of_different_clicks_must_agree_on_more():
    verdict = compare(witnessed([1, 2, 3, 4], agreed=6), witnessed([1, 2, 3, 4], agreed=7))
    assert verdict.accepted
    assert "agree on 77.8% of picks, 66.7% before" in verdict.reason
    assert "4 clicks they had not seen: F1 " in verdict.reason
    assert verdict.reason.startswith("Kept, for ")


@pytest.mark.parametrize("agreed", [0, 5, 6])
def test_where_they_do_not_the_round_is_rolled_back(agreed):
    verdict = compare(witnessed([1, 2, 3, 4]), witnessed([1, 2, 3, 4], agreed))
    assert not verdict.accepted
    assert verdict.reason.startswith("Rolled back, for it is no better: ")
    assert f"agree on {agreed / 9:.1%} of picks, 66.7% before" in verdict.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([1, 2, 3, 4, 5, 6], [1, 2, 3, *[np.inf] * 3]),  # grave
        ([1] * 20, [*[1] * 16, *[20] * 4]),  # slight, but hardly by chance
    ],
)
def test_clicks_that_are_found_less_surely_object_however_much_models_agree(before, after):
    verdict = compare(witnessed(before, agreed=5), witnessed(after, agreed=9))
    assert not verdict.accepted
    assert f"find less of the {len(after)} clicks they had not seen: F1 " in verdict.reason
    assert compare(witnessed(after, agreed=5), witnessed(before, agreed=9)).accepted


def test_clicks_that_change_places_do_not_object():
    before, after = [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]
    assert compare(witnessed(before), witnessed(after, agreed=9)).accepted


def test_what_a_model_thinks_of_itself_does_not_count():
    before, after = (witnessed([1, 2, 3, 4], agreed) for agreed in (6, 9))
    before = replace(before, judgement=replace(before.judgement, f1=0.99, average_precision=0.99))
    assert compare(before, after).accepted


def test_a_model_is_not_better_for_expecting_or_picking_more():
    before = witnessed([1, 2, 3, 4])
    for more in ({"expected": 60.0}, {"kept": 18}, {"kept": 18, "expected": 60.0}):
        assert not compare(before, witnessed([1, 2, 3, 4], **more)).accepted


@given(*[st.lists(st.integers(1, 30) | st.just(np.inf), min_size=6, max_size=6)] * 2)
def test_the_same_agreement_is_a_tie_whatever_the_clicks_say(ranks, others):
    verdict = compare(witnessed(ranks), witnessed(others))
    assert not verdict.accepted
    assert verdict.reason.endswith(".")
    assert verdict.reason.count("F1 ") == 1


@given(
    agreed=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    ranks=st.lists(st.integers(1, 30), min_size=6, max_size=6),
)
def test_of_two_sets_of_jurors_at_most_one_replaces_the_other(agreed, ranks):
    one, other = (witnessed(ranks, each) for each in agreed)
    settled = (9 - agreed[1]) < SETTLED * (9 - agreed[0])
    assert compare(one, other).accepted == settled
    assert not (compare(one, other).accepted and compare(other, one).accepted)


def test_one_particle_more_is_a_tie():
    before, after = (replace(standing(f1, 0.8), held_out=10) for f1 in (0.80, 0.89))
    assert not compare(before, after).accepted
    many = [replace(each, held_out=1000) for each in (before, after)]
    assert compare(*many).accepted
