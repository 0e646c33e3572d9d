"""Pseudo-labels: what a model is sure of, and nothing that a person has labelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit

from napari_cryopick.detection.events import Maps
from napari_cryopick.imaging.prepare import Rescaling
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.model.card import Calibration
from napari_cryopick.model.unet import AREA_RADIUS, PARTICLE_PX
from napari_cryopick.picks import Picks, Source, Status
from napari_cryopick.training.examples import Example
from napari_cryopick.training.pseudo_labels import (
    BACKGROUND_RANK,
    ISOLATION,
    MODEL_WEIGHT,
    PARTICLE_RANK,
    pseudo_label,
)
from napari_cryopick.training.settings import SelfTrainSettings
from napari_cryopick.training.targets import (
    AREA,
    CENTRE,
    CONTAMINATION,
    UNLABELLED,
    PseudoTarget,
    Target,
    distances,
)
from napari_cryopick.training.validation import Prediction, ValidationResult, calibrated

SHAPE = (160, 192)
SCALE = Rescaling(0.5)
FIXED = SelfTrainSettings(diameter_angstrom=160, particle_threshold=0.8, background_threshold=0.4)
PIXELS = SelfTrainSettings(diameter_angstrom=160, pseudo_labels="pixels")
GRID = [(y, x) for y in range(15, 150, 22) for x in range(15, 180, 22)]
"""Positions of 56 particles side by side."""

MIDDLE = (80, 90)

positions = st.lists(
    st.tuples(st.floats(12, 148), st.floats(12, 180)), min_size=1, max_size=4
)  # in network pixels


def see(
    at: object = (),
    scores: object = 1.0,
    status: object = Status.OK,
    picks: Picks | None = None,
    labels: Labels | None = None,
    contamination: float = 0.0,
    path: str = "a.mrc",
) -> Prediction:
    """Return what a model sees: peaks at (n, 2) positions in network pixels, each with an area."""
    positions = np.asarray(at, dtype=float).reshape(-1, 2)
    near = distances(SHAPE, positions).numpy()
    maps = Maps(
        (near < AREA_RADIUS * PARTICLE_PX).astype(np.float32),
        np.exp(-0.1 * near**2).astype(np.float32),
        np.full(SHAPE, contamination, np.float32),
        SCALE.factor,
    )
    whole = (2 * SHAPE[0], 2 * SHAPE[1])
    example = Example(Path(path), whole, 4.0, torch.zeros(SHAPE), SCALE, picks, labels)
    peaks = Picks.at(SCALE.to_micrograph(positions), scores, Source.MODEL, status)
    return Prediction(example, maps, peaks)


def result_of(*seen: Prediction) -> ValidationResult:
    """Take scores for probabilities."""
    return ValidationResult(Calibration(), 0.5, {one.example.path: one.peaks for one in seen})


def label(seen: Prediction, settings: SelfTrainSettings | None = FIXED) -> PseudoTarget:
    targets, _ = pseudo_label([seen], result_of(seen), settings)
    return targets[seen.example.path]


def picks_at(*network_positions: tuple[float, float], status: str = Status.OK) -> Picks:
    return Picks.at(2 * np.array(network_positions) + 0.5, status=status)


def both(one: Picks, other: Picks) -> Picks:
    return Picks.at(
        np.concatenate([one.positions, other.positions]),
        status=np.concatenate([one.statuses, other.statuses]),
    )


def within(radius_px: float, *network_positions: tuple[float, float]) -> torch.Tensor:
    return distances(SHAPE, np.array(network_positions)) < radius_px


def falling(count: int, sharpness: float = 8.0) -> NDArray[np.float64]:
    """Return scores of a model that is sure of half of so many peaks, and against the rest."""
    return expit(sharpness * np.linspace(1, -1, count))


# thresholds


def test_the_best_of_the_expected_particles_are_labelled_and_the_rest_is_background():
    scores = falling(len(GRID))
    seen = see(GRID, scores)
    targets, thresholds = pseudo_label([seen], result_of(seen))
    assert len(targets[Path("a.mrc")].positions) == round(PARTICLE_RANK * scores.sum())
    expected = len(GRID) - round(BACKGROUND_RANK * scores.sum())
    assert (scores < thresholds.background).sum() >= expected
    assert "28 particles per micrograph" in thresholds.reason


def test_beside_marked_classes_less_is_pseudo_labelled():
    marks = Picks.at([[0, 0], [0, 2]], source=Source.CLASS, status=[Status.OK, Status.DELETED])
    alone, beside = (see(GRID, falling(len(GRID)), picks=picks) for picks in (None, marks))
    counts, levels = [], []
    for seen in (alone, beside):
        targets, thresholds = pseudo_label([seen], result_of(seen))
        counts.append(len(targets[Path("a.mrc")].positions))
        levels.append(thresholds.background)
    assert 0 < counts[1] < counts[0]
    assert levels[1] < levels[0]


@given(level=st.floats(-4, 4), expected=st.floats(8, 40))
@settings(max_examples=40, deadline=None)
def test_the_same_ranking_at_another_level_of_heights_gives_the_same_labels(level, expected):
    def labelled(heights: NDArray) -> list[list[float]]:
        seen = see(GRID, heights)
        result = calibrated([seen], Calibration(slope=2.0, offset=-20.0), expected)
        return pseudo_label([seen], result)[0][Path("a.mrc")].positions.tolist()

    heights = falling(len(GRID), 4.0)
    plain, shifted = labelled(heights), labelled(expit(logit(heights) + level))
    shared = min(len(plain), len(shifted))  # half a particle may be rounded up or down
    assert shared >= PARTICLE_RANK * expected - 1
    assert plain[:shared] == shifted[:shared]
    assert abs(len(plain) - len(shifted)) <= 1


def test_thresholds_are_those_of_all_micrographs_together():
    rich, poor = see(GRID, 0.95, path="rich.mrc"), see(GRID, 0.05, path="poor.mrc")
    targets, _ = pseudo_label([rich, poor], result_of(rich, poor))
    assert len(targets[Path("rich.mrc")].positions) == len(GRID)
    assert not len(targets[Path("poor.mrc")].positions)


def test_a_peak_that_is_more_likely_none_is_never_labelled():
    assert not len(label(see(GRID, 0.45), None).positions)


def test_fixed_thresholds_relax_in_each_round():
    relaxing = FIXED.model_copy(update={"relaxation": 0.02})
    seen = see(GRID, falling(56))
    chosen = [pseudo_label([seen], result_of(seen), relaxing, n)[1] for n in (1, 2, 3)]
    assert [each.particle for each in chosen] == pytest.approx([0.8, 0.78, 0.76])
    assert [each.background for each in chosen] == pytest.approx([0.4, 0.42, 0.44])


@given(
    fixed=st.tuples(st.none() | st.floats(0.01, 0.99), st.none() | st.floats(0.01, 0.99)),
    scores=st.lists(st.floats(0, 1), max_size=56),
    number=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_background_never_begins_above_particles(fixed, scores, number):
    names = ("particle_threshold", "background_threshold")
    chosen = FIXED.model_copy(update=dict(zip(names, fixed, strict=True)))
    seen = see(GRID[: len(scores)], scores)
    _, thresholds = pseudo_label([seen], result_of(seen), chosen, number)
    assert thresholds.background <= thresholds.particle
    assert thresholds.reason.endswith(".")


# whole particles


def test_a_sure_peak_is_a_particle_that_weighs_less_than_a_click():
    target = label(see([MIDDLE], 0.9)).target
    inside = within(AREA_RADIUS * PARTICLE_PX - 1, MIDDLE)
    assert (target.values[AREA, inside] == 1).all()
    assert target.values[CENTRE].flatten().argmax() == MIDDLE[0] * SHAPE[1] + MIDDLE[1]
    assert (target.weights[:, inside] == MODEL_WEIGHT).all()
    assert MODEL_WEIGHT < 1


def test_between_the_thresholds_nothing_is_labelled():
    pseudo = label(see([(40, 50), MIDDLE], [0.6, 0.3]))
    assert not len(pseudo.positions)
    assert not pseudo.target.values.any()
    unsure = within(ISOLATION * PARTICLE_PX - 1, (40, 50))
    assert not pseudo.target.weights[:CONTAMINATION, unsure].any()
    far = ~within(ISOLATION * PARTICLE_PX + 1, (40, 50))
    assert (pseudo.target.weights[:, far] > 0).all()


def test_an_empty_micrograph_is_background():
    pseudo = label(see(), None)
    assert not len(pseudo.positions)
    assert not pseudo.target.values.any()
    assert (pseudo.target.weights == MODEL_WEIGHT).all()


@pytest.mark.parametrize("status", [Status.CONTAMINATION, Status.BORDER])
def test_flagged_peaks_are_not_labelled(status):
    assert not len(label(see([MIDDLE], 1.0, status)).positions)


def test_where_contamination_is_possible_nothing_is_labelled():
    pseudo = label(see(GRID, 1.0, contamination=0.5))
    assert not len(pseudo.positions)
    assert not pseudo.target.weights.any()


def test_sure_contamination_is_labelled_as_such():
    pseudo = label(see(GRID, 1.0, Status.CONTAMINATION, contamination=0.95), None)
    assert (pseudo.target.values[CONTAMINATION] == 1).all()
    assert not pseudo.target.values[:CONTAMINATION].any()


# pixels


def test_pixels_are_labelled_one_by_one():
    seen = see([MIDDLE], 1.0)
    area = np.full(SHAPE, 0.6, np.float32)
    area[:, :60], area[:, 120:] = 0.02, 0.98
    target = label(replace(seen, maps=replace(seen.maps, area=area)), PIXELS).target
    assert not target.values[AREA, :, :120].any()
    assert (target.values[AREA, :, 120:] == 1).all()
    assert not target.weights[AREA, :, 60:120].any()
    assert (target.weights[AREA, :, :60] == MODEL_WEIGHT).all()


def test_pixels_of_an_area_label_the_centre_of_their_peak():
    pseudo = label(see([MIDDLE], 1.0), PIXELS)
    assert pseudo.positions.tolist() == [list(MIDDLE)]
    assert pseudo.target.values[CENTRE].flatten().argmax() == MIDDLE[0] * SHAPE[1] + MIDDLE[1]


# human labels


@given(
    clicked=positions, deleted=positions, scores=st.lists(st.floats(0, 1), min_size=56, max_size=56)
)
@settings(max_examples=25, deadline=None)
def test_nothing_is_labelled_where_a_person_has_picked_or_deleted(clicked, deleted, scores):
    person = both(picks_at(*clicked), picks_at(*deleted, status=Status.DELETED))
    seen = see([*GRID, *deleted], [*scores, *[1.0] * len(deleted)], picks=person)
    for position in label(seen).positions:
        away = np.linalg.norm(np.array([*clicked, *deleted]) - position, axis=1)
        assert away.min() >= PARTICLE_PX / 2 - 1e-6


@given(deleted=positions, kind=st.sampled_from([FIXED, PIXELS]))
@settings(max_examples=20, deadline=None)
def test_a_deleted_pick_stays_deleted_however_sure_the_model_is(deleted, kind):
    seen = see(deleted, 1.0, picks=picks_at(*deleted, status=Status.DELETED))
    drawn = seen.example.training_image(complete=False, pseudo=label(seen, kind))
    values, weights = drawn.layers[1:4], drawn.layers[4:]
    inside = within(AREA_RADIUS * PARTICLE_PX - 1, *deleted)
    assert not values[:CONTAMINATION, inside].any()
    assert (weights[:CONTAMINATION, inside] == 1).all()


def painted(corner: tuple[int, int], value: int) -> Labels:
    classes = np.zeros(SHAPE, np.uint8)
    y, x = corner
    classes[y : y + 20, x : x + 30] = value
    return Labels(classes, scale=0.5)


def contradiction(value: float, centre: float) -> PseudoTarget:
    """A model that is sure of the same everywhere."""
    values = torch.full((3, *SHAPE), value)
    values[CENTRE] = centre
    weights = torch.full_like(values, MODEL_WEIGHT)
    return PseudoTarget(Target(values, weights), np.array(GRID, dtype=float))


@given(
    clicked=positions,
    deleted=positions,
    corner=st.tuples(st.integers(0, 140), st.integers(0, 160)),
    paint=st.sampled_from(list(LabelClass)),
    wrong=st.sampled_from([(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.5, 0.5)]),
    complete=st.booleans(),
    strip=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_human_labels_are_never_overwritten(
    clicked, deleted, corner, paint, wrong, complete, strip
):
    person = both(picks_at(*clicked), picks_at(*deleted, status=Status.DELETED))
    example = see(picks=person, labels=painted(corner, paint)).example
    example = replace(example, held_out=(260, np.inf) if strip else (0.0, 0.0))
    against = contradiction(*wrong)
    alone, mixed = (example.training_image(complete, p).layers[1:] for p in (None, against))
    unlabelled = alone[3:] == torch.tensor(UNLABELLED)
    labelled = ~unlabelled
    assert torch.equal(alone[3:][labelled], mixed[3:][labelled])
    assert torch.equal((alone[:3] * alone[3:])[labelled], (mixed[:3] * mixed[3:])[labelled])
    assert torch.equal(mixed[:3][unlabelled], against.target.values[unlabelled])
    assert torch.equal(mixed[3:][unlabelled], against.target.weights[unlabelled])


def test_completely_labelled_micrographs_get_no_pseudo_labels():
    complete = FIXED.model_copy(update={"complete": True})
    known = see(GRID, picks=picks_at(MIDDLE))
    unknown = see(GRID, path="b.mrc")
    targets, _ = pseudo_label([known, unknown], result_of(known, unknown), complete)
    assert list(targets) == [Path("b.mrc")]


def test_no_more_deleted_picks_than_particles_are_hard_negatives():
    person = both(picks_at(MIDDLE), picks_at((30, 30), (30, 90), (90, 30), status=Status.DELETED))
    seen = see([(120, 150)], 1.0, picks=person)
    drawn = seen.example.training_image(complete=False, pseudo=label(seen))
    assert drawn.positions.tolist() == [list(MIDDLE), [30, 30], [120, 150]]
