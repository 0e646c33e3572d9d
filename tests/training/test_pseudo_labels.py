"""Models teach what they are sure of, and nothing that a person has spoken about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit

from napari_cryopick.detection.calibration import match_expected_count
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.model.card import Calibration
from napari_cryopick.model.unet import ARCHITECTURES, PARTICLE_PX
from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.examples import Example, load_examples
from napari_cryopick.training.judging import judge, recalibrated
from napari_cryopick.training.pseudo_labels import (
    CLEAN,
    COVERED,
    DIRTY,
    DOUBTFUL,
    ISOLATION,
    MODEL_WEIGHT,
    SURE,
    Thresholds,
    View,
    choose_thresholds,
    guess,
    look,
)
from napari_cryopick.training.settings import SelfTrainSettings
from napari_cryopick.training.targets import (
    AREA,
    AREA_RADIUS,
    CENTRE,
    CONTAMINATION,
    UNLABELLED,
    Guess,
    Target,
    distances,
)

SHAPE = (160, 192)
ADAPTIVE = SelfTrainSettings(diameter_angstrom=160)
THRESHOLDS = Thresholds(0.8, 0.4, "")
GRID = [(y, x) for y in range(15, 150, 22) for x in range(15, 180, 22)]
"""Positions of 56 particles side by side."""

MIDDLE = (80, 90)
HALF_DIRTY = (CLEAN + DIRTY) / 2

positions = st.lists(
    st.tuples(st.floats(12, 148), st.floats(12, 180)), min_size=1, max_size=4
)  # in network pixels


def at(*network_positions: tuple[float, float], status: str = Status.OK) -> Picks:
    """What a person has clicked on, told in network pixels."""
    return Picks.at(2 * np.array(network_positions) + 0.5, status=status)


def both(one: Picks, other: Picks) -> Picks:
    return Picks.at(
        np.concatenate([one.positions, other.positions]),
        status=np.concatenate([one.statuses, other.statuses]),
    )


def within(radius_px: float, *network_positions: tuple[float, float]) -> torch.Tensor:
    return distances(SHAPE, np.array(network_positions)) < radius_px


def assert_model_weight(weights: torch.Tensor) -> None:
    assert torch.equal(weights, torch.full_like(weights, MODEL_WEIGHT))


def taught(view: View, chosen: Thresholds) -> list[tuple[float, float]]:
    return [tuple(each) for each in guess(view, chosen).positions]


def falling(count: int, sharpness: float = 8.0) -> NDArray[np.float64]:
    """Scores of a teacher that is sure of the first half of so many peaks, and against the rest."""
    return expit(sharpness * np.linspace(1, -1, count))


# thresholds


def test_the_best_of_the_expected_particles_teach_and_the_far_too_many_are_background(see):
    scores = falling(len(GRID))
    chosen = choose_thresholds([see(GRID, scores)], ADAPTIVE, 1)
    expected = scores.sum()
    assert (scores >= chosen.particle).sum() == round(SURE * expected)
    assert (scores < chosen.background).sum() >= len(GRID) - round(DOUBTFUL * expected)
    assert "28 particles per micrograph" in chosen.reason


@given(level=st.floats(-4, 4), expected=st.floats(8, 40))
@settings(max_examples=40, deadline=None)
def test_the_same_ranking_at_another_level_of_heights_teaches_the_same(level, expected, see):
    """Thresholds follow the scores, which a fixed pair does not."""

    def chosen_at(heights: NDArray) -> list[tuple[float, float]]:
        calibration = match_expected_count([heights], expected, Calibration(slope=2.0))
        peaks = see(GRID, heights)
        view = replace(peaks, peaks=recalibrated(peaks.peaks, calibration))
        return taught(view, choose_thresholds([view], ADAPTIVE, 1))

    heights = falling(len(GRID), 4.0)
    usual, shifted = chosen_at(heights), chosen_at(expit(logit(heights) + level))
    both = min(len(usual), len(shifted))  # half a particle may be rounded up or down
    assert both >= SURE * expected - 1
    assert usual[:both] == shifted[:both]
    assert abs(len(usual) - len(shifted)) <= 1


def test_a_larger_expected_count_teaches_more(see):
    def teaching(expected: float) -> int:
        heights = falling(len(GRID))
        view = see(GRID, heights)
        calibration = match_expected_count([heights], expected, Calibration(slope=2.0))
        view = replace(view, peaks=recalibrated(view.peaks, calibration))
        return len(taught(view, choose_thresholds([view], ADAPTIVE, 1)))

    assert teaching(10) == round(SURE * 10)
    assert teaching(30) == round(SURE * 30)


def test_thresholds_are_those_of_all_micrographs_together(see):
    """Where few particles are, few peaks teach."""
    rich, poor = see(GRID, 0.95), see(GRID, 0.05)
    chosen = choose_thresholds([rich, poor], ADAPTIVE, 1)
    assert len(taught(rich, chosen)) == len(GRID)
    assert not taught(poor, chosen)


def test_a_peak_that_is_as_likely_none_never_teaches(see):
    view = see(GRID, 0.45)
    assert not taught(view, choose_thresholds([view], ADAPTIVE, 1))


def test_fixed_thresholds_give_way_in_each_round(see):
    fixed = ADAPTIVE.model_copy(
        update={"particle_threshold": 0.95, "background_threshold": 0.05, "relaxation": 0.02}
    )
    chosen = [choose_thresholds([see(GRID, falling(56))], fixed, number) for number in (1, 2, 3)]
    assert [each.particle for each in chosen] == pytest.approx([0.95, 0.93, 0.91])
    assert [each.background for each in chosen] == pytest.approx([0.05, 0.07, 0.09])
    assert chosen[0].reason == "Thresholds are fixed."


def test_one_threshold_may_be_fixed_alone(see):
    fixed = ADAPTIVE.model_copy(update={"particle_threshold": 0.9})
    view = see(GRID, falling(len(GRID)))
    adaptive, mixed = (choose_thresholds([view], each, 1) for each in (ADAPTIVE, fixed))
    assert mixed.particle == 0.9
    assert mixed.background == adaptive.background


@given(
    given=st.tuples(st.none() | st.floats(0.01, 0.99), st.none() | st.floats(0.01, 0.99)),
    scores=st.lists(st.floats(0, 1), max_size=56),
    number=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_background_never_begins_above_particles(given, scores, number, see):
    particle, background = given
    fixed = ADAPTIVE.model_copy(
        update={"particle_threshold": particle, "background_threshold": background}
    )
    view = see(GRID[: len(scores)], scores)
    chosen = choose_thresholds([view], fixed, number)
    assert chosen.background <= chosen.particle
    assert chosen.reason.endswith(".")


# whole particles


def test_a_sure_peak_teaches_a_particle_but_weighs_less_than_a_click(see):
    target = guess(see([MIDDLE], 0.9), THRESHOLDS).target
    inside = within(AREA_RADIUS * PARTICLE_PX - 1, MIDDLE)
    assert (target.values[AREA, inside] == 1).all()
    assert target.values[CENTRE].flatten().argmax() == MIDDLE[0] * SHAPE[1] + MIDDLE[1]
    assert_model_weight(target.weights[:, inside])
    assert target.weights.max() == pytest.approx(MODEL_WEIGHT)
    assert MODEL_WEIGHT < 1


def test_between_the_thresholds_nothing_is_said(see):
    view = see([(40, 50), MIDDLE], [0.6, 0.3])
    target, placed = guess(view, THRESHOLDS).target, guess(view, THRESHOLDS).positions
    assert not len(placed)
    assert not target.values.any()
    undecided = within(ISOLATION * PARTICLE_PX - 1, (40, 50))
    assert not target.weights[:CONTAMINATION, undecided].any()
    assert (target.weights[:, ~within(ISOLATION * PARTICLE_PX + 1, (40, 50))] > 0).all()


def test_an_empty_micrograph_teaches_background_alone(see):
    empty = guess(see(), choose_thresholds([see()], ADAPTIVE, 1))
    assert not len(empty.positions)
    assert not empty.target.values.any()
    assert_model_weight(empty.target.weights)


def test_a_dense_field_still_teaches_particles(see):
    """Shoulder to shoulder, each a diameter from the next."""
    dense = [(y, x) for y in range(12, 150, 20) for x in range(12, 180, 20)]
    view = see(dense, 0.97)
    chosen = choose_thresholds([view], ADAPTIVE, 1)
    assert len(taught(view, chosen)) == len(dense)


def test_of_two_peaks_too_close_the_better_one_teaches(see):
    near, beside = (
        (80, 90 + 0.9 * ISOLATION * PARTICLE_PX),
        (80, 90 + 1.1 * ISOLATION * PARTICLE_PX),
    )
    assert taught(see([near, MIDDLE], [0.85, 0.95]), THRESHOLDS) == [MIDDLE]
    assert len(taught(see([near, MIDDLE], 0.9), THRESHOLDS)) == 1
    assert len(taught(see([beside, MIDDLE], [0.85, 0.95]), THRESHOLDS)) == 2


@pytest.mark.parametrize("status", [Status.CONTAMINATION, Status.BORDER])
def test_flagged_peaks_do_not_teach(status, see):
    assert not taught(see([MIDDLE], 1.0, status), THRESHOLDS)


def test_where_contamination_may_be_nothing_teaches_a_particle(see):
    view = see(GRID, 1.0, contamination=HALF_DIRTY)
    told = guess(view, THRESHOLDS)
    assert not len(told.positions)
    assert not told.target.weights.any()


def test_what_is_all_contaminated_teaches_contamination_alone(see):
    view = see(GRID, 1.0, Status.CONTAMINATION, contamination=0.95)
    told = guess(view, choose_thresholds([view], ADAPTIVE, 1))
    assert not len(told.positions)
    assert (told.target.values[CONTAMINATION] == 1).all()
    assert not told.target.values[:CONTAMINATION].any()
    assert_model_weight(told.target.weights)


def test_a_peak_without_an_area_does_not_teach(see):
    view = see([MIDDLE], 1.0)
    bare = replace(view, maps=replace(view.maps, area=view.maps.area * (COVERED - 0.01)))
    assert not taught(bare, THRESHOLDS)


# pixels


def test_pixels_are_judged_one_by_one(see):
    view = see([MIDDLE], 1.0)
    area = np.full(SHAPE, 0.6, np.float32)
    area[:, :60], area[:, 120:] = 0.1, 0.9
    told = guess(replace(view, maps=replace(view.maps, area=area)), THRESHOLDS, "pixels").target
    assert not told.values[AREA, :, :120].any()
    assert (told.values[AREA, :, 120:] == 1).all()
    assert not told.weights[AREA, :, 60:120].any()
    assert_model_weight(told.weights[AREA, :, :60])
    assert_model_weight(told.weights[AREA, :, 120:])


def test_pixels_of_an_area_teach_the_centre_of_their_peak(see):
    told = guess(see([MIDDLE], 1.0), THRESHOLDS, "pixels")
    assert told.positions.tolist() == [list(MIDDLE)]
    assert told.target.values[CENTRE].flatten().argmax() == MIDDLE[0] * SHAPE[1] + MIDDLE[1]
    assert told.target.weights.max() <= MODEL_WEIGHT


# what a person has said

kinds = st.sampled_from(["particles", "pixels"])
score_lists = st.lists(st.floats(0, 1), min_size=56, max_size=56)


@given(clicked=positions, deleted=positions, scores=score_lists)
@settings(max_examples=25, deadline=None)
def test_nothing_teaches_a_particle_where_a_person_has_clicked_or_deleted(
    clicked, deleted, scores, see
):
    person = both(at(*clicked), at(*deleted, status=Status.DELETED))
    view = see([*GRID, *deleted], [*scores, *[1.0] * len(deleted)], picks=person)
    for position in guess(view, Thresholds(0.0, 0.0, "")).positions:
        away = np.linalg.norm(np.array([*clicked, *deleted]) - position, axis=1)
        assert away.min() >= PARTICLE_PX / 2 - 1e-6


@given(deleted=positions, kind=kinds)
@settings(max_examples=20, deadline=None)
def test_a_deleted_pick_stays_deleted_however_sure_the_teacher_is(deleted, kind, see):
    view = see(deleted, 1.0, picks=at(*deleted, status=Status.DELETED))
    field = view.example.field(complete=False, guess=guess(view, THRESHOLDS, kind))
    values, weights = field.layers[1:4], field.layers[4:]
    refused = within(AREA_RADIUS * PARTICLE_PX - 1, *deleted)
    assert not values[:CONTAMINATION, refused].any()
    assert (weights[:CONTAMINATION, refused] == 1).all()


def painted(corner: tuple[int, int], value: int) -> Labels:
    classes = np.zeros(SHAPE, np.uint8)
    y, x = corner
    classes[y : y + 20, x : x + 30] = value
    return Labels(classes, scale=0.5)


def contradiction(value: float, centre: float) -> Guess:
    """A model that is sure of the same everywhere."""
    values = torch.full((3, *SHAPE), value)
    values[CENTRE] = centre
    weights = torch.full_like(values, MODEL_WEIGHT)
    return Guess(Target(values, weights), np.array(GRID, dtype=float))


def held_out(example: Example, rows: tuple[float, float], judging: Sequence[bool]) -> Example:
    assert example.held_out is not None
    held = np.resize(judging, len(example.held_out.picks))
    return replace(example, held_out=replace(example.held_out, picks=held, rows=rows))


@given(
    clicked=positions,
    deleted=positions,
    judging=st.lists(st.booleans(), min_size=8, max_size=8),
    corner=st.tuples(st.integers(0, 140), st.integers(0, 160)),
    paint=st.sampled_from(list(LabelClass)),
    wrong=st.sampled_from([(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.5, 0.5)]),
    complete=st.booleans(),
    strip=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_what_a_person_has_said_is_never_overwritten(
    clicked, deleted, judging, corner, paint, wrong, complete, strip, see
):
    """A guess counts where nobody has spoken, and makes no difference elsewhere."""
    person = both(at(*clicked), at(*deleted, status=Status.DELETED))
    example = see(picks=person, labels=painted(corner, paint)).example
    example = held_out(example, (260, np.inf) if strip else (0.0, 0.0), judging)
    against = contradiction(*wrong)
    alone, taught = (example.field(complete, guessed).layers[1:] for guessed in (None, against))
    unsaid = alone[3:] == torch.tensor(UNLABELLED)
    said = ~unsaid
    assert torch.equal(alone[3:][said], taught[3:][said])
    assert torch.equal((alone[:3] * alone[3:])[said], (taught[:3] * taught[3:])[said])
    assert torch.equal(taught[:3][unsaid], against.target.values[unsaid])
    assert torch.equal(taught[3:][unsaid], against.target.weights[unsaid])


def test_an_unlabelled_micrograph_learns_the_guess_as_it_is(see):
    view = see([MIDDLE], 1.0)
    told = guess(view, THRESHOLDS)
    field = view.example.field(complete=False, guess=told)
    assert torch.equal(field.layers[1:], torch.cat([told.target.values, told.target.weights]))
    assert field.positions.tolist() == [list(MIDDLE)]


def test_no_more_deleted_picks_than_particles_are_looked_at_again(see):
    person = both(at(MIDDLE), at((30, 30), (30, 90), (90, 30), status=Status.DELETED))
    view = see([(120, 150)], 1.0, picks=person)
    field = view.example.field(complete=False, guess=guess(view, THRESHOLDS))
    assert field.positions.tolist() == [list(MIDDLE), [30, 30], [120, 150]]


# looking


def test_scores_of_what_a_network_sees_add_up_to_what_is_expected(project, quick):
    examples = load_examples(project.micrographs[:2], project.clicks(), {}, quick)
    torch.manual_seed(0)
    network = ARCHITECTURES["compact"]().eval()
    for expected in (5.0, 12.0):
        judgement = judge(network, examples, False, expected_count=expected)
        views = look(network, examples, judgement, averaging=True)
        assert [view.example for view in views] == examples
        assert sum(view.scores.sum() for view in views) == pytest.approx(2 * expected, rel=1e-3)
