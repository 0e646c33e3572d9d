"""What clicks say of models that have not seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.model.card import Calibration
from napari_cryopick.picks import Picks, Source, Status
from napari_cryopick.training.evidence import (
    BREADTH,
    FEWEST_CLICKS,
    FOLDS,
    OTHERS,
    Evidence,
    fold,
    gather,
)
from napari_cryopick.training.examples import Example
from napari_cryopick.training.holdout import HeldOut
from napari_cryopick.training.judging import Judgement
from napari_cryopick.training.pseudo_labels import View
from napari_cryopick.training.targets import distances

A, B = Path("a.mrc"), Path("b.mrc")
ROW = [(40, x) for x in range(20, 180, 20)]
"""Eight positions in network pixels."""

LONELY = [(140, x) for x in range(20, 160, 20)]


def evidence(ranks: Sequence[float], kept: int, expected: float) -> Evidence:
    return Evidence(np.array(ranks, dtype=float), kept, expected)


def clicks(network_positions: Sequence, status: object = Status.OK) -> Picks:
    return Picks.at(2 * np.array(network_positions) + 0.5, status=status)


def judged(**picks: Picks) -> Judgement:
    tables = {Path(f"{name}.mrc"): table for name, table in picks.items()}
    return Judgement(Calibration(), 0.5, np.nan, np.nan, np.nan, np.nan, tables)


def found(network_positions: Sequence, scores: object) -> Picks:
    return Picks.at(2 * np.array(network_positions) + 0.5, scores, Source.MODEL)


# figures


def test_clicks_that_all_rank_first_are_worth_an_f1_of_1_with_the_right_count():
    perfect = evidence([1, 2, 4, 5, 6], kept=20, expected=20)
    assert perfect.recall == pytest.approx(1, abs=0.001)
    assert perfect.f1(20) == pytest.approx(1, abs=0.001)
    assert perfect.precision_at(20, 20) == pytest.approx(1, abs=0.001)
    assert perfect.average_precision(20) == pytest.approx(1)


def test_a_click_counts_by_degrees_around_its_rank():
    first, last, just_not, far_behind = evidence([1, 20, 24, 200], kept=20, expected=20).found
    assert first == pytest.approx(1)
    assert last == pytest.approx(0.5)
    assert 0.05 < just_not < 0.5
    assert far_behind == pytest.approx(0, abs=1e-6)
    assert evidence([20 * np.exp(BREADTH)], 20, 20).recall == pytest.approx(0.159, abs=0.001)


@given(kept=st.integers(20, 200), more=st.integers(1, 100))
def test_more_false_picks_lower_f1(kept, more):
    few, many = (evidence([1, 2, 4, 5, 6], count, 20) for count in (kept, kept + more))
    assert many.f1(20) < few.f1(20) <= 1
    assert many.recall == pytest.approx(few.recall, abs=0.001)


def test_clicks_that_rank_behind_false_picks_lower_average_precision():
    early, late = evidence([2, 4, 6, 8], 20, 20), evidence([20, 40, 60, 80], 20, 20)
    assert late.average_precision(20) < early.average_precision(20)
    assert late.f1(20) < early.f1(20)


def test_a_click_that_nobody_finds_counts():
    all_found, missed = evidence([1, 2, 4, 6], 20, 20), evidence([1, 2, 4, np.inf], 20, 20)
    assert missed.found[3] == 0
    assert missed.recall == pytest.approx(0.75, abs=0.001)
    assert missed.f1(20) == pytest.approx(0.75, abs=0.001)
    assert missed.average_precision(20) <= 0.75 * all_found.average_precision(20) + 1e-9


def test_too_few_picks_do_not_find_more_than_there_are():
    """Five picks of twenty particles, clicks among the best of them."""
    assert evidence([1, 1, 1], kept=5, expected=20).f1(20) == pytest.approx(2 * 5 / 25)


def test_a_model_that_picks_nothing_is_worth_nothing():
    nothing = evidence([np.inf] * 6, kept=0, expected=0)
    assert nothing.f1(20) == nothing.average_precision(20) == nothing.recall == 0
    assert nothing.precision_at(0, 20) == 0
    assert nothing.agreement(0) == 0


@given(
    ranks=st.lists(st.integers(1, 300) | st.just(np.inf), min_size=1, max_size=30),
    kept=st.integers(0, 300),
    expected=st.floats(0, 300),
)
def test_figures_are_shares(ranks, kept, expected):
    figures = evidence(ranks, kept, expected)
    for value in (
        *figures.found,
        figures.recall,
        figures.f1(expected),
        figures.precision_at(kept, expected),
        figures.average_precision(expected),
    ):
        assert 0 <= value <= 1 + 1e-9


# agreement


def test_models_agree_on_what_both_have_picked():
    row, column = found(ROW, np.linspace(0.9, 0.2, 8)), found([(40, 20), *LONELY], 0.9)
    assert Evidence(np.ones(1), 8, 8, [[row], [row]], 40).agreement(8) == 1
    assert Evidence(np.ones(1), 8, 8, [[row], [column]], 40).agreement(8) == 2 / 16
    assert Evidence(np.ones(1), 8, 8, [[row], [found(np.empty((0, 2)), [])]], 40).agreement(8) == 0


def test_agreement_is_of_the_best_picks_of_each_at_whatever_level_of_scores():
    """The four best of the one are the four best of the other; the rest differ."""
    one = found([*ROW[:4], *LONELY], [*[0.9] * 4, *[0.5] * 7])
    other = found(ROW, [*[0.4] * 4, *[0.1] * 4])
    told = Evidence(np.ones(1), 4, 4, [[one], [other]], 40)
    assert told.agreement(4) == 1
    assert told.agreement(8) < 1


def test_picks_further_apart_than_a_radius_do_not_agree():
    near, far = (found([(y + off, x) for y, x in ROW], 0.9) for off in (8, 12))
    row = found(ROW, 0.9)
    assert Evidence(np.ones(1), 8, 8, [[row], [near]], 40).agreement(8) == 1
    assert Evidence(np.ones(1), 8, 8, [[row], [far]], 40).agreement(8) == 0


def test_a_judgement_is_informed_of_them_and_nothing_else():
    judgement = judged(a=found(ROW, 0.9))
    told = evidence([1, 1, 2, np.inf], 8, 8).informed(judgement)
    assert told.f1 == told.recall == told.precision == pytest.approx(0.75, abs=0.001)
    assert told.average_precision > 0
    assert (told.threshold, told.calibration) == (judgement.threshold, judgement.calibration)
    assert told.picks is judgement.picks


# gathering


@pytest.fixture
def seen_by_jurors(see):
    """Views of two jurors that each hold half of eight clicks out."""

    def seen(peaks: Sequence, scores: Sequence[float]) -> list[list[View]]:
        view = see(peaks, scores, picks=clicks(ROW))
        return [[hold(view, np.arange(8) % FOLDS == side)] for side in range(FOLDS)]

    return seen


def hold(view: View, judging: np.ndarray) -> View:
    return replace(view, example=replace(view.example, held_out=HeldOut(judging)))


def test_ranks_count_all_peaks_that_are_as_good(seen_by_jurors):
    others = [(100, x) for x in range(20, 180, 20)]
    scores = [*np.linspace(0.9, 0.2, 8), *np.linspace(0.85, 0.15, 8)]  # taking turns
    told = gather(seen_by_jurors([*ROW, *others], scores), judged(a=found(ROW, 0.9)))
    assert sorted(told.ranks) == [1, 3, 5, 7, 9, 11, 13, 15]
    assert told.kept == 8
    assert told.expected == pytest.approx(7.2)
    assert told.agreement(16) == 1


def test_clicks_without_a_peak_have_no_rank(seen_by_jurors):
    told = gather(seen_by_jurors(ROW[:6], [0.9] * 6), judged(a=found(ROW, 0.9)))
    assert np.isinf(told.ranks).sum() == 2
    assert (told.found == 0).sum() == 2


def test_a_peak_off_by_more_than_a_radius_is_none(seen_by_jurors):
    beside = [(y + 11, x) for y, x in ROW]
    near = [(y + 5, x) for y, x in ROW]
    judgement = judged(a=found(ROW, 0.9))
    assert np.isinf(gather(seen_by_jurors(beside, [0.9] * 8), judgement).ranks).all()
    assert np.isfinite(gather(seen_by_jurors(near, [0.9] * 8), judgement).ranks).all()


def test_other_micrographs_of_the_fold_bring_their_false_picks(see, seen_by_jurors):
    folds = seen_by_jurors(ROW, [0.6] * 8)
    alone = gather(folds, judged(a=found(ROW, 0.6)))
    with_others = [[*views, see(ROW, 0.9, path="b.mrc")] for views in folds]
    together = gather(with_others, judged(a=found(ROW, 0.6), b=found(ROW, 0.9)))
    assert (together.ranks == alone.ranks + 8).all()
    assert together.kept == 16
    assert together.expected == pytest.approx(8 * 0.6 + 8 * 0.9)


# folds


def examples_of(see, *tables: Picks | None) -> list[Example]:
    return [see(picks=table, path=f"{i}.mrc").example for i, table in enumerate(tables)]


def test_too_few_clicks_are_not_parted(see):
    few, enough = clicks(ROW[: FEWEST_CLICKS - 1]), clicks(ROW[:FEWEST_CLICKS])
    assert fold(examples_of(see, few), np.random.default_rng(0)) == []
    assert len(fold(examples_of(see, enough), np.random.default_rng(0))) == FOLDS
    mostly_deleted = clicks(ROW, [Status.OK, *[Status.DELETED] * 7])
    assert fold(examples_of(see, mostly_deleted), np.random.default_rng(0)) == []


@given(
    tables=st.lists(
        st.lists(st.sampled_from([Status.OK, Status.DELETED, Status.BORDER]), max_size=8),
        min_size=1,
        max_size=4,
    ),
    seed=st.integers(0, 1000),
)
def test_each_click_judges_once_and_teaches_otherwise(tables, seed, see):
    picks = [clicks(np.reshape(ROW[: len(each)], (-1, 2)), each) for each in tables]
    parts = fold(examples_of(see, *picks), np.random.default_rng(seed))
    alive = np.concatenate([table.statuses != Status.DELETED for table in picks])
    if alive.sum() < FEWEST_CLICKS:
        assert parts == []
        return
    judging = np.array([np.concatenate([e.held_out.picks for e in part]) for part in parts])
    assert (judging.sum(axis=0) == alive).all()
    sizes = judging.sum(axis=1)
    assert sizes.max() - sizes.min() <= 1
    for part in parts:
        for example, table in zip(part, picks, strict=True):
            deleted = table.positions[table.statuses == Status.DELETED].tolist()
            assert all(
                position in example.training_picks.positions.tolist() for position in deleted
            )


def test_a_few_unlabelled_micrographs_judge_too_and_the_same_for_all(see):
    examples = examples_of(see, clicks(ROW), *[None] * (OTHERS + 3))
    parts = fold(examples, np.random.default_rng(0))
    for part in parts:
        assert [e.path for e in part] == [e.path for e in examples[: 1 + OTHERS]]


def test_the_same_seed_folds_the_same(see):
    examples = examples_of(see, clicks(ROW))
    one, again, other = (
        fold(examples, np.random.default_rng(seed))[0][0].held_out.picks for seed in (3, 3, 4)
    )
    assert (one == again).all()
    assert (one != other).any()


def test_a_click_that_judges_does_not_teach(see):
    for (example,) in fold(examples_of(see, clicks(ROW)), np.random.default_rng(0)):
        field = example.field(complete=False)
        judging = example.rescaling.to_network(example.held_out_positions)
        near = distances(example.map_shape, judging) < 8
        assert not field.layers[4:, near].any()
        taught = {tuple(position) for position in field.positions.tolist()}
        assert not taught & {tuple(position) for position in judging.tolist()}
        assert len(taught) == 4
