"""What a network finds on micrographs, and how good that is on held-out labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..detection.calibration import (
    ExpectedScores,
    as_logits,
    best_threshold,
    calibrate,
    calibrate_by_classes,
    calibrate_by_clicks,
    fit,
    match_expected_count,
)
from ..detection.events import Maps
from ..detection.inference import predict_maps
from ..detection.peaks import pick
from ..metrics.matching import match
from ..metrics.particles import score_particles
from ..metrics.pixels import PixelScores, score_pixels
from ..model.card import Calibration, ModelCard
from ..model.unet import AREA_RADIUS, PARTICLE_PX
from ..picks import Picks, Status
from .examples import Example
from .targets import distances

INCOMPLETE = Calibration(slope=0.7, offset=-3.2)
"""Calibration of networks trained on incomplete labels, on which none can be fitted. They are too
sure of themselves, hence the slope; the offset is that of networks trained from scratch, others
match an expected number of particles."""


METRIC_NAMES = "f1", "precision", "recall", "average_precision", "threshold"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network makes of an example: its maps, and all peaks with their heights as scores."""

    example: Example
    maps: Maps
    peaks: Picks


@dataclass(frozen=True, eq=False)
class ValidationResult:
    """How good a network is, and how its scores are calibrated.

    Figures are those at particle level on held-out complete labels, with so many particles
    (`held_out`); NaN where there are none. `picks` are all peaks, with calibrated scores.
    """

    calibration: Calibration
    threshold: float
    picks: dict[Path, Picks]
    f1: float = np.nan
    average_precision: float = np.nan
    precision: float = np.nan
    recall: float = np.nan
    held_out: int = 0
    pixels: PixelScores | None = None

    @property
    def kept(self) -> dict[Path, Picks]:
        """Picks at or above the threshold."""
        return {path: table[table.scores >= self.threshold] for path, table in self.picks.items()}

    @property
    def count(self) -> int:
        """Kept picks on all micrographs, without those at borders or on contamination."""
        return sum(len(table.with_status(Status.OK)) for table in self.kept.values())

    @property
    def particles(self) -> float:
        """Number of particles that the scores add up to."""
        return float(self.scores.sum())

    @property
    def expected(self) -> ExpectedScores:
        """Precision and recall of the kept picks, if the scores are right."""
        scores = self.scores
        return ExpectedScores.of(scores, scores >= self.threshold, self.calibration.offset_sd)

    @property
    def figures(self) -> dict[str, float]:
        """Particle-level figures by name."""
        return {name: getattr(self, name) for name in METRIC_NAMES}

    @property
    def scores(self) -> NDArray[np.float64]:
        """(n,) scores of all peaks without those at borders or on contamination."""
        tables = [table.with_status(Status.OK).scores for table in self.picks.values()]
        return np.concatenate([*tables, np.empty(0)])


def predict_examples(network: nn.Module, examples: Sequence[Example]) -> list[Prediction]:
    """Return the maps and peaks of some examples."""
    predictions = []
    for example in examples:
        scale, margins = example.rescaling.factor, example.margins
        maps = predict_maps(network, example.image, scale, margins=margins)
        peaks = pick(maps, example.shape, PARTICLE_PX, border=example.border)
        predictions.append(Prediction(example, maps, peaks))
    return predictions


def validate(predictions: Sequence[Prediction]) -> ValidationResult:
    """Calibrate predictions and score them on held-out complete labels.

    Labels of the held-out rows must be complete. Scores are calibrated by Platt scaling on the
    same labels, the threshold maximises the F1 that the calibrated scores promise.
    """
    held_out = [_on_held_out_rows(p) for p in predictions if p.example.picks is not None]
    calibration = fit(
        [as_logits(found.scores) for found, _, _ in held_out],
        [_hits(*pair) for pair in held_out],
    )
    result = calibrated(predictions, calibration)
    pairs = {
        p.example.path: _on_held_out_rows(p, result)
        for p in predictions
        if p.example.held_out_rows.any()
    }
    scores = score_particles(
        {path: found for path, (found, _, _) in pairs.items()},
        {path: truth for path, (_, truth, _) in pairs.items()},
        predictions[0].example.diameter_px,
        threshold=result.threshold,
    )
    return replace(
        result,
        f1=scores.micro.f1,
        average_precision=scores.average_precision,
        precision=scores.micro.precision,
        recall=scores.micro.recall,
        held_out=scores.truth,
        pixels=_score_pixels(predictions),
    )


def calibrated(
    predictions: Sequence[Prediction], calibration: Calibration, expected: float | None = None
) -> ValidationResult:
    """Return predictions with calibrated scores, where no labels can validate them.

    The offset of the calibration is shifted until the scores add up to so many `expected`
    particles on all micrographs, if given.
    """
    heights = [p.peaks.with_status(Status.OK).scores for p in predictions]
    if expected is not None:
        calibration = match_expected_count(heights, expected, calibration)
    picks = {
        p.example.path: replace(p.peaks, scores=calibrate(p.peaks.scores, calibration))
        for p in predictions
    }
    result = ValidationResult(calibration, 0.0, picks)
    return replace(result, threshold=best_threshold(result.scores))


def calibrate_on_clicks(predictions: Sequence[Prediction], card: ModelCard) -> Calibration:
    """Calibrate a model by clicks that it was not trained on."""
    clicked = [_on_peaks(p, p.example.particles_by_hand) for p in predictions]
    return calibrate_by_clicks(_heights(predictions), clicked, card.calibration, card.threshold)


def calibrate_on_classes(predictions: Sequence[Prediction], card: ModelCard) -> Calibration:
    """Calibrate a model by marked classes that it was not trained on, particles and junk."""
    particles, junk = (
        [_on_peaks(p, p.example.of_classes(status)) for p in predictions]
        for status in (Status.OK, Status.DELETED)
    )
    return calibrate_by_classes(_heights(predictions), particles, junk, card.calibration)


def _heights(predictions: Sequence[Prediction]) -> list[NDArray[np.float64]]:
    return [p.peaks.with_status(Status.OK).scores for p in predictions]


def _on_peaks(prediction: Prediction, labels: Picks) -> NDArray[np.bool_]:
    """Return which usable peaks some labels fall on."""
    peaks = prediction.peaks.with_status(Status.OK)
    return _hits(peaks, labels, prediction.example.diameter_px)


Pair = tuple[Picks, Picks, float]
"""Found and true picks, and the diameter in pixels."""


def _on_held_out_rows(prediction: Prediction, result: ValidationResult | None = None) -> Pair:
    example = prediction.example
    found = result.picks[example.path] if result else prediction.peaks.with_status(Status.OK)
    truth = example.particles
    return (
        found[example.is_held_out(found.positions)],
        truth[example.is_held_out(truth.positions)],
        example.diameter_px,
    )


def _hits(found: Picks, truth: Picks, diameter_px: float) -> NDArray[np.bool_]:
    pairs = match(found.positions, truth.positions, diameter_px / 2, found.scores)
    hits = np.zeros(len(found), dtype=bool)
    hits[pairs.found] = True
    return hits


def _score_pixels(predictions: Sequence[Prediction]) -> PixelScores | None:
    """Score the area map against the discs it is trained on, in the held-out rows."""
    area, discs = [], []
    for prediction in predictions:
        example = prediction.example
        rows = example.held_out_rows
        truth = example.rescaling.to_network(example.particles.positions)
        mask = distances(example.map_shape, truth).numpy() <= AREA_RADIUS * PARTICLE_PX
        area.append(prediction.maps.area[rows].ravel())
        discs.append(mask[rows].ravel())
    return score_pixels(np.concatenate(area), np.concatenate(discs))
