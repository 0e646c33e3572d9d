"""Pseudo-labels: what a model is sure enough of to train another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import expit
from torch import Tensor

from ..detection.calibration import as_logits
from ..model.unet import PARTICLE_PX
from ..picks import Picks, Status
from .examples import has_both_kinds
from .settings import SelfTrainSettings
from .targets import (
    AREA,
    CENTRE,
    CONTAMINATION,
    PseudoTarget,
    Target,
    distances,
    draw_particle,
)
from .validation import Prediction, ValidationResult

PARTICLE_RANK, BACKGROUND_RANK = 0.75, 1.5
"""Ranks up to which peaks are labelled as particles, in shares of the fewest particles expected,
and from which on as background, in shares of the most."""

RANKS_BESIDE_CLASSES = 0.4, 4.0
"""The same where marked classes label both kinds over the whole range of scores; with more
pseudo-labels the model learns less of them (`benchmarks/class_marks.py`)."""

PIXEL_THRESHOLDS = 0.95, 0.05
"""Default probabilities for single pixels, those of the original recipe."""

ISOLATION = 0.6
"""Diameters around a peak of which the model is not sure that are left out."""

CLEAN, CONTAMINATED = 0.2, 0.8
"""Probabilities of contamination below which there is none and from which on there is."""

MODEL_WEIGHT = 0.7
"""Weight of pseudo-labels beside human labels."""


@dataclass(frozen=True)
class Thresholds:
    """Scores from which on a peak is a particle and below which it is background."""

    particle: float
    background: float
    reason: str


def pseudo_label(
    predictions: Sequence[Prediction],
    result: ValidationResult,
    settings: SelfTrainSettings | None = None,
    number: int = 1,
) -> tuple[dict[Path, PseudoTarget], Thresholds]:
    """Label micrographs with what a model finds.

    Adaptive thresholds follow the scores of this model: calibrated, they add up to the number of
    particles it expects, of which the best three quarters are labelled (compare FlexMatch, Zhang
    et al. 2021, arXiv 2110.08263).

    Parameters
    ----------
    predictions, result
        Of the model, on all micrographs: maps and peaks, and the peaks with calibrated scores.
    settings, number
        Of self-training and its round; without settings, thresholds are adaptive.

    Returns
    -------
    targets, thresholds
        One `PseudoTarget` for each micrograph that is not completely labelled by a person.
    """
    by_classes = has_both_kinds([p.example for p in predictions])
    ranks = RANKS_BESIDE_CLASSES if by_classes else (PARTICLE_RANK, BACKGROUND_RANK)
    thresholds = _thresholds(result, settings, number, ranks)
    pixels = settings is not None and settings.pseudo_labels == "pixels"
    label = _label_pixels if pixels else _label_particles
    complete = settings is not None and settings.complete
    targets = {
        p.example.path: label(p, result.picks[p.example.path], thresholds)
        for p in predictions
        if not (complete and p.example.has_particles)
    }
    return targets, thresholds


def _thresholds(
    result: ValidationResult,
    settings: SelfTrainSettings | None,
    number: int,
    ranks: tuple[float, float],
) -> Thresholds:
    ranked = np.sort(result.scores)[::-1]
    sd, count = result.calibration.offset_sd, len(result.picks)
    fewest, most = (expit(as_logits(ranked) + shift).sum() for shift in (-sd, sd))
    particle = max(_at_rank(ranked, ranks[0] * fewest), 0.5)
    background = min(_at_rank(ranked, ranks[1] * most), 0.5)
    reason = (
        f"The scores add up to {fewest / count:.0f} to {most / count:.0f} particles per "
        f"micrograph; the best {ranks[0]:.0%} of the former are labelled as particles."
    )
    if settings is None:
        return Thresholds(particle, background, reason)
    fixed = settings.particle_threshold, settings.background_threshold
    if settings.pseudo_labels == "pixels":
        fixed = fixed[0] or PIXEL_THRESHOLDS[0], fixed[1] or PIXEL_THRESHOLDS[1]
    relaxed = settings.relaxation * (number - 1)
    particle = particle if fixed[0] is None else fixed[0] - relaxed
    background = background if fixed[1] is None else fixed[1] + relaxed
    reason = reason if None in fixed else "The thresholds are fixed."
    return Thresholds(particle, min(background, particle), reason)


def _at_rank(ranked: NDArray, rank: float) -> float:
    """Return the score at a rank of falling scores; 1 before the first, 0 after the last."""
    index = round(rank) - 1
    if index < 0:
        return 1.0
    return float(ranked[index]) if index < len(ranked) else 0.0


def _label_particles(prediction: Prediction, peaks: Picks, thresholds: Thresholds) -> PseudoTarget:
    """Label sure, clean peaks as particles and what is far from all likely peaks as background."""
    example, maps = prediction.example, prediction.maps
    clean = (peaks.statuses == Status.OK) & (maps.contamination[_pixels(prediction)] < CLEAN)
    unlabelled = _far(peaks.positions, example.picks, 0.5 * example.diameter_px)
    sure = (peaks.scores >= thresholds.particle) & clean & unlabelled
    unsure = (peaks.scores >= thresholds.background) & ~sure
    positions = example.rescaling.to_network(peaks.positions)
    shape = maps.centre.shape
    target = Target(torch.zeros(3, *shape), torch.zeros(3, *shape))
    near_unsure = distances(shape, positions[unsure]) < ISOLATION * PARTICLE_PX
    target.weights[:CONTAMINATION, ~near_unsure] = 1.0
    draw_particle(target, distances(shape, positions[sure]), PARTICLE_PX)
    _draw_contamination(target, torch.from_numpy(maps.contamination))
    return PseudoTarget(_weighted(target), positions[sure])


def _label_pixels(prediction: Prediction, peaks: Picks, thresholds: Thresholds) -> PseudoTarget:
    """Label pixels above and below thresholds (Lee 2013, ICML workshop)."""
    maps = prediction.maps
    probabilities = torch.from_numpy(np.stack([maps.area, maps.centre, maps.contamination]))
    values = (probabilities >= thresholds.particle).float()
    known = (probabilities >= thresholds.particle) | (probabilities < thresholds.background)
    target = Target(values, known.float())
    positions = prediction.example.rescaling.to_network(peaks.positions)
    on_particle = values[AREA].numpy()[_pixels(prediction)] > 0
    near = distances(maps.centre.shape, positions[on_particle])
    target.weights[CENTRE, near < ISOLATION * PARTICLE_PX] = 0.0
    centred = target.copy()
    draw_particle(centred, near, PARTICLE_PX)
    target.values[CENTRE], target.weights[CENTRE] = centred.values[CENTRE], centred.weights[CENTRE]
    return PseudoTarget(_weighted(target), positions[on_particle])


def _draw_contamination(target: Target, probability: Tensor) -> None:
    """Draw contamination where it is sure, and leave out where it is possible."""
    contaminated = probability >= CONTAMINATED
    target.values[:, contaminated] = torch.tensor([0.0, 0.0, 1.0])[:, None]
    target.weights[:, contaminated] = 1.0
    target.weights[CONTAMINATION, probability < CLEAN] = 1.0
    target.weights[:CONTAMINATION, (probability >= CLEAN) & ~contaminated] = 0.0


def _weighted(target: Target) -> Target:
    return replace(target, weights=target.weights * MODEL_WEIGHT)


def _pixels(prediction: Prediction) -> tuple[NDArray[np.intp], ...]:
    """Return the map pixel of every peak."""
    positions = prediction.example.rescaling.to_network(prediction.peaks.positions)
    last = np.array(prediction.maps.centre.shape) - 1
    return tuple(np.clip(np.rint(positions).astype(int), 0, last).T)


def _far(positions: NDArray, picks: Picks | None, radius_px: float) -> NDArray[np.bool_]:
    """Return which positions are far from all human picks, deleted ones too."""
    if picks is None or not len(picks):
        return np.ones(len(positions), bool)
    away, _ = cKDTree(picks.positions).query(positions)
    return np.asarray(away > radius_px)
