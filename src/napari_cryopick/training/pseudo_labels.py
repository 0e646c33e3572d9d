"""What a model is sure enough of to teach its successor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor, nn

from ..detection.calibration import match_expected_count
from ..detection.events import Maps
from ..detection.inference import predict_maps
from ..model.unet import PARTICLE_PX
from ..picks import Picks, Status
from .examples import Example
from .judging import Judgement, heights, recalibrated
from .settings import SelfTrainSettings
from .targets import AREA, CENTRE, CONTAMINATION, Guess, Target, claim, distances

SURE, DOUBTFUL = 0.75, 1.25
"""Ranks, in shares of the expected number of particles, up to which peaks teach as particles, and
from which on they teach as background."""

PIXELS = 0.95, 0.05
"""Where pixels alone are labelled, from which probability on particle, and below which background;
ranks of peaks say nothing of pixels."""

ISOLATION = 0.6
COVERED = 0.5
CLEAN, DIRTY = 0.2, 0.8
MODEL_WEIGHT = 0.7
"""What a model says weighs less than what a person says."""


@dataclass(frozen=True, eq=False)
class View:
    """A micrograph as a teacher sees it: its maps, and all peaks with calibrated scores."""

    example: Example
    maps: Maps
    peaks: Picks

    @property
    def scores(self) -> NDArray[np.float64]:
        """Of the peaks that are neither on contamination nor at the border."""
        return self.peaks.with_status(Status.OK).scores


@dataclass(frozen=True)
class Thresholds:
    """From which score on a peak teaches a particle, below which background, and why there."""

    particle: float
    background: float
    reason: str


def look(
    network: nn.Module,
    examples: Sequence[Example],
    judgement: Judgement,
    averaging: bool = False,
) -> list[View]:
    """Have a network look at micrographs, as sure of itself as a model that has been judged.

    Scores are such that they add up to the number of particles that the judged model expects
    there: heights of peaks are not comparable between networks, numbers are.

    Parameters
    ----------
    averaging
        Look turned and flipped in eight ways, and take the mean.
    """
    maps = [predict_maps(network, e.image, e.rescaling.factor, averaging) for e in examples]
    peaks = [heights(m, e) for m, e in zip(maps, examples, strict=True)]
    found = [table.with_status(Status.OK).scores for table in peaks]
    expected = sum(judgement.expected(example.path) for example in examples)
    calibration = match_expected_count(found, expected, judgement.calibration)
    return [
        View(example, seen, recalibrated(table, calibration))
        for example, seen, table in zip(examples, maps, peaks, strict=True)
    ]


def choose_thresholds(
    views: Sequence[View], settings: SelfTrainSettings, number: int
) -> Thresholds:
    """Thresholds of one round, a class each.

    Adaptive ones follow the scores of this very teacher: calibrated, they add up to the number of
    particles that it expects; three quarters of these, the best, teach, and what ranks below
    five quarters is background. So the share of particles stays as it should be whatever the
    level of the scores, which a fixed pair of thresholds does not grant (cf. FlexMatch,
    arXiv 2110.08263).

    Parameters
    ----------
    number
        Of the round, from 1 on: fixed thresholds give way by `settings.relaxation` in each.
    """
    adaptive = thresholds_at(views, SURE, DOUBTFUL)
    given = settings.relaxation * (number - 1)
    fixed_particle, fixed_background = settings.particle_threshold, settings.background_threshold
    if settings.pseudo_labels == "pixels":
        fixed_particle = fixed_particle or PIXELS[0]
        fixed_background = fixed_background or PIXELS[1]
    particle = adaptive.particle if fixed_particle is None else fixed_particle - given
    background = adaptive.background if fixed_background is None else fixed_background + given
    return Thresholds(particle, min(background, particle), _reason(settings, views))


def thresholds_at(views: Sequence[View], sure: float, doubtful: float) -> Thresholds:
    """Those at two ranks, in shares of the number of particles that the scores add up to."""
    ranked = np.sort(np.concatenate([view.scores for view in views]))[::-1]
    expected = float(ranked.sum())
    return Thresholds(
        max(_at_rank(ranked, sure * expected), 0.5),
        min(_at_rank(ranked, doubtful * expected), 0.5),
        "",
    )


def guess(view: View, thresholds: Thresholds, kind: str = "particles") -> Guess:
    """What a teacher has to say of one micrograph, in particles or in pixels."""
    return _pixelwise(view, thresholds) if kind == "pixels" else _particlewise(view, thresholds)


def _particlewise(view: View, thresholds: Thresholds) -> Guess:
    """Sure, isolated, clean peaks are particles; far from all that might be one is background."""
    example, peaks = view.example, view.peaks
    sure = _teaches(view, thresholds.particle)
    undecided = (peaks.scores >= thresholds.background) & ~sure
    positions = example.rescaling.to_network(peaks.positions)
    shape = view.maps.centre.shape
    target = Target(torch.zeros(3, *shape), torch.zeros(3, *shape))
    near_doubt = distances(shape, positions[undecided]) < ISOLATION * PARTICLE_PX
    target.weights[:CONTAMINATION, ~near_doubt] = 1.0
    claim(target, distances(shape, positions[sure]), PARTICLE_PX)
    _contaminate(target, torch.from_numpy(view.maps.contamination))
    return Guess(_softened(target), positions[sure])


def _teaches(view: View, threshold: float) -> NDArray[np.bool_]:
    """Which peaks are particles beyond doubt, and far from what a person has said."""
    peaks, maps = view.peaks, view.maps
    at = _pixels(view)
    clean = (peaks.statuses == Status.OK) & (maps.contamination[at] < CLEAN)
    solid = maps.area[at] >= COVERED
    far = _far(peaks.positions, view.example.picks, 0.5 * view.example.diameter_px)
    alone = _unrivalled(peaks, ISOLATION * view.example.diameter_px)
    teaches: NDArray[np.bool_] = (peaks.scores >= threshold) & clean & solid & far & alone
    return teaches


def _pixelwise(view: View, thresholds: Thresholds) -> Guess:
    """Pixels above and below thresholds, as in plain pseudo-labelling (Lee 2013)."""
    maps = view.maps
    probabilities = torch.from_numpy(np.stack([maps.area, maps.centre, maps.contamination]))
    target = Target(
        torch.where(probabilities >= thresholds.particle, 1.0, 0.0),
        ((probabilities >= thresholds.particle) | (probabilities < thresholds.background)).float(),
    )
    positions = view.example.rescaling.to_network(view.peaks.positions)
    on_particle = target.values[AREA].numpy()[_pixels(view)] > 0
    near = distances(maps.centre.shape, positions[on_particle])
    target.weights[CENTRE, near < ISOLATION * PARTICLE_PX] = 0.0
    centred = Target(target.values.clone(), target.weights.clone())
    claim(centred, near, PARTICLE_PX)
    target.values[CENTRE], target.weights[CENTRE] = centred.values[CENTRE], centred.weights[CENTRE]
    return Guess(_softened(target), positions[on_particle])


def _contaminate(target: Target, probability: Tensor) -> None:
    """Where contamination is sure there is no particle; where it is possible nothing is said."""
    dirty = probability >= DIRTY
    target.values[:, dirty] = torch.tensor([0.0, 0.0, 1.0])[:, None]
    target.weights[:, dirty] = 1.0
    target.weights[CONTAMINATION, probability < CLEAN] = 1.0
    target.weights[:CONTAMINATION, (probability >= CLEAN) & ~dirty] = 0.0


def _softened(target: Target) -> Target:
    return replace(target, weights=target.weights * MODEL_WEIGHT)


def _pixels(view: View) -> tuple[NDArray[np.intp], ...]:
    """The map pixel of every peak."""
    positions = view.example.rescaling.to_network(view.peaks.positions)
    last = np.array(view.maps.centre.shape) - 1
    return tuple(np.clip(np.rint(positions).astype(int), 0, last).T)


def _far(positions: NDArray, picks: Picks | None, radius_px: float) -> NDArray[np.bool_]:
    """Which positions nobody has clicked on or deleted."""
    if picks is None or not len(picks):
        return np.ones(len(positions), bool)
    away, _ = cKDTree(picks.positions).query(positions)
    return np.asarray(away > radius_px)


def _unrivalled(peaks: Picks, radius_px: float) -> NDArray[np.bool_]:
    """Which peaks have no better one so near that both can hardly be particles."""
    alone = np.ones(len(peaks), bool)
    if len(peaks) > 1:
        pairs = cKDTree(peaks.positions).query_pairs(radius_px, output_type="ndarray")
        worse = np.where(peaks.scores[pairs[:, 0]] < peaks.scores[pairs[:, 1]], *pairs.T)
        alone[worse] = False
    return alone


def _at_rank(ranked: NDArray, rank: float) -> float:
    """The score at a rank of falling scores; 1 before the first, 0 after the last."""
    index = round(rank) - 1
    if index < 0:
        return 1.0
    return float(ranked[index]) if index < len(ranked) else 0.0


def _reason(settings: SelfTrainSettings, views: Sequence[View]) -> str:
    each = sum(float(view.scores.sum()) for view in views) / len(views)
    fixed = settings.particle_threshold, settings.background_threshold
    if None not in fixed or settings.pseudo_labels == "pixels":
        return "Thresholds are fixed."
    counted = settings.expected_count and not settings.complete
    source = "you expect" if counted else "the scores add up to"
    return (
        f"For {source} about {each:.0f} particles per micrograph: the best {SURE:.0%} of these "
        f"teach, and what ranks beyond {DOUBTFUL:.0%} is background."
    )
