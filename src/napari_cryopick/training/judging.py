"""How good a network is on human labels that no step has trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..detection.calibration import (
    as_logits,
    best_threshold,
    calibrate,
    doubted,
    fit,
    match_expected_count,
)
from ..detection.events import Maps
from ..detection.inference import predict_maps
from ..detection.peaks import pick
from ..metrics.matching import match
from ..metrics.particles import score_particles
from ..metrics.pixels import PixelScores, disc_mask, score_pixels
from ..model.card import Calibration
from ..model.unet import AREA_RADIUS, PARTICLE_PX
from ..picks import Picks, Status
from .examples import Example

"""With this card scores are the heights of peaks."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a network is worth, and how its scores are to be read.

    Attributes
    ----------
    calibration, threshold
        For its card.
    f1, average_precision
        At particle level, on held-out labels. Of incomplete labels F1 is an estimate: recall is
        that of held-out picks, or what the scores promise where there are none, precision is what
        the scores promise, and average precision is NaN.
    precision, recall
        Those that F1 comes of.
    picks
        All peaks by micrograph, with calibrated scores.
    pixels
        At pixel level, on the same ground; None of incomplete labels, which leave it unknown.
    """

    calibration: Calibration
    threshold: float
    f1: float
    average_precision: float
    precision: float
    recall: float
    picks: dict[Path, Picks]
    pixels: PixelScores | None = None

    @property
    def count(self) -> int:
        """Picks kept, on all micrographs that were looked at, but for those on their borders."""
        return sum(len(table.with_status(Status.OK)) for table in self.kept.values())

    @property
    def kept(self) -> dict[Path, Picks]:
        """The picks from the threshold on."""
        return {path: table[table.scores >= self.threshold] for path, table in self.picks.items()}

    def expected(self, path: Path) -> float:
        """Particles on one micrograph, if scores are probabilities."""
        return float(self.picks[path].with_status(Status.OK).scores.sum())

    def figures(self) -> dict[str, float]:
        """Those at particle level, by name."""
        return {
            "f1": self.f1,
            "precision": self.precision,
            "recall": self.recall,
            "average_precision": self.average_precision,
            "threshold": self.threshold,
        }


def judge(
    network: nn.Module,
    examples: Sequence[Example],
    complete: bool,
    calibration: Calibration | None = None,
    expected_count: float | None = None,
    least: float = 0.0,
) -> Judgement:
    """Pick micrographs, and hold the picks against held-out labels.

    Parameters
    ----------
    complete
        Labels tell of every particle: scores are calibrated and measured on what was held out.
    calibration
        Of incomplete labels, which cannot tell; without one, what the heights at clicks suggest.
    expected_count
        Particles per micrograph that those scores are to add up to, if known.
    least
        Particles in all that they are to add up to at least.
    """
    labelled = [example for example in examples if example.picks is not None]
    maps = {e.path: predict_maps(network, e.image, e.rescaling.factor) for e in examples}
    peaks = {e.path: heights(maps[e.path], e) for e in examples}
    if complete:
        calibration = _calibrate(labelled, peaks)
    else:
        found = [table.with_status(Status.OK).scores for table in peaks.values()]
        calibration = calibration or doubted(_at_clicks(labelled, peaks))
        expected = max(least, sum(float(calibrate(h, calibration).sum()) for h in found))
        if expected_count is not None:
            expected = expected_count * len(examples)
        calibration = match_expected_count(found, expected, calibration)
    picks = {path: recalibrated(table, calibration) for path, table in peaks.items()}
    threshold = best_threshold(np.concatenate([table.scores for table in picks.values()]))
    if complete:
        judgement = _score(labelled, picks, calibration, threshold)
        return replace(judgement, pixels=_score_pixels(labelled, maps))
    return _estimate(labelled, picks, calibration, threshold)


def heights(maps: Maps, example: Example) -> Picks:
    """All peaks of a micrograph; their scores are how high they are."""
    return pick(maps, example.shape, PARTICLE_PX, border=example.border)


def _at_clicks(labelled: Sequence[Example], peaks: Mapping[Path, Picks]) -> NDArray[np.float64]:
    """Scores of the peaks at a person's picks; 0 where there is none."""
    scores = [scores_at(e, _particles(e).positions, peaks[e.path]) for e in labelled]
    return np.concatenate([*scores, np.empty(0)])


def scores_at(example: Example, positions: NDArray, peaks: Picks) -> NDArray[np.float64]:
    """Of the peaks at (n, 2) positions of one micrograph; 0 where there is none."""
    pairs = match(peaks.positions, positions, example.diameter_px / 2, peaks.scores)
    scores = np.zeros(len(positions))
    scores[pairs.truth] = peaks.scores[pairs.found]
    return scores


def _particles(example: Example) -> Picks:
    assert example.picks is not None
    return example.picks[example.picks.statuses != Status.DELETED]


def _score_pixels(labelled: Sequence[Example], maps: Mapping[Path, Maps]) -> PixelScores:
    """The area map against the discs it is taught, on held-out ground."""
    area, discs = [], []
    for example in filter(_judges, labelled):
        assert example.held_out is not None
        rows = example.held_out_rows
        truth = example.rescaling.to_network(_particles(example).positions)
        mask = disc_mask(example.map_shape, truth, AREA_RADIUS * PARTICLE_PX)
        area.append(maps[example.path].area[rows].ravel())
        discs.append(mask[rows].ravel())
    return score_pixels(np.concatenate(area), np.concatenate(discs))


def recalibrated(peaks: Picks, calibration: Calibration) -> Picks:
    """Peaks whose scores are still heights, with scores that are probabilities."""
    return replace(peaks, scores=calibrate(peaks.scores, calibration))


def _calibrate(labelled: Sequence[Example], peaks: dict[Path, Picks]) -> Calibration:
    """From completely labelled ground that was held out."""
    logits, hits = [], []
    for example in labelled:
        usable = peaks[example.path].with_status(Status.OK)
        found, truth = _on_held_out_ground(example, usable)
        logits.append(as_logits(found.scores))
        hits.append(_hits(found, truth, example))
    return fit(logits, hits)


def _score(
    labelled: Sequence[Example],
    picks: dict[Path, Picks],
    calibration: Calibration,
    threshold: float,
) -> Judgement:
    """Figures on completely labelled ground that was held out."""
    pairs = {e.path: _on_held_out_ground(e, picks[e.path]) for e in labelled if _judges(e)}
    scores = score_particles(
        {path: found for path, (found, _) in pairs.items()},
        {path: truth for path, (_, truth) in pairs.items()},
        labelled[0].diameter_px,
        threshold=threshold,
    )
    return Judgement(
        calibration,
        threshold,
        scores.micro.f1,
        scores.average_precision,
        scores.micro.precision,
        scores.micro.recall,
        picks,
    )


def _estimate(
    labelled: Sequence[Example],
    picks: dict[Path, Picks],
    calibration: Calibration,
    threshold: float,
) -> Judgement:
    """F1 from the recall of held-out picks; precision from what the scores promise."""
    hits = [_found(e, picks[e.path], threshold) for e in labelled]
    found = np.concatenate([*hits, np.empty(0, bool)])
    scores = np.concatenate([t.with_status(Status.OK).scores for t in picks.values()])
    kept = scores[scores >= threshold]
    precision = float(kept.mean()) if len(kept) else 0.0
    recall = float(found.mean()) if len(found) else float(kept.sum() / max(scores.sum(), 1e-9))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Judgement(calibration, threshold, f1, np.nan, precision, recall, picks)


def _found(example: Example, picks: Picks, threshold: float) -> NDArray[np.bool_]:
    """Which held-out picks of a person the kept picks hit."""
    held = example.held_out_positions
    hit = np.zeros(len(held), dtype=bool)
    kept = picks.positions[picks.scores >= threshold]
    hit[match(kept, held, example.diameter_px / 2).truth] = True
    return hit


def _judges(example: Example) -> bool:
    """Whether some ground of it is held out."""
    return example.held_out is not None and example.held_out.rows[1] > example.held_out.rows[0]


def _on_held_out_ground(example: Example, picks: Picks) -> tuple[Picks, Picks]:
    """Found and true picks there."""
    assert example.held_out is not None
    within, truth = example.held_out.within, _particles(example)
    return picks[within(picks.positions)], truth[within(truth.positions)]


def _hits(found: Picks, truth: Picks, example: Example) -> NDArray[np.bool_]:
    pairs = match(found.positions, truth.positions, example.diameter_px / 2, found.scores)
    hits = np.zeros(len(found), dtype=bool)
    hits[pairs.found] = True
    return hits
