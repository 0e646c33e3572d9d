"""How good a network is on human labels that no step has trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from torch import nn

from ..evaluation.matching import match
from ..evaluation.particles import score_particles
from ..network.architectures import PARTICLE_PX
from ..network.card import Calibration, ModelCard
from ..picking.infer import predict_maps
from ..picking.pick import calibrate, pick
from ..picks import Picks, Status
from .calibration import DOUBTED, best_threshold, fit
from .examples import Example

MOST_UNLABELLED = 4
"""Micrographs without labels that a threshold is judged by, at the most."""


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
    """

    calibration: Calibration
    threshold: float
    f1: float
    average_precision: float
    precision: float
    recall: float
    picks: dict[Path, Picks]


def judge(network: nn.Module, examples: Sequence[Example], complete: bool) -> Judgement:
    """Pick labelled micrographs and a few others, and hold the picks against held-out labels."""
    card = ModelCard(architecture="", particle_px=PARTICLE_PX, calibration=Calibration())
    labelled = [example for example in examples if example.picks is not None]
    others = [example for example in examples if example.picks is None][:MOST_UNLABELLED]
    peaks = {e.path: _peaks(network, e, card) for e in labelled + others}
    calibration = _calibrate(labelled, peaks) if complete else DOUBTED
    picks = {path: _recalibrated(table, calibration) for path, table in peaks.items()}
    threshold = best_threshold(np.concatenate([table.scores for table in picks.values()]))
    if complete:
        return _score(labelled, picks, calibration, threshold)
    return _estimate(labelled, picks, calibration, threshold)


def _peaks(network: nn.Module, example: Example, card: ModelCard) -> Picks:
    maps = predict_maps(network, example.image, example.rescaling.factor)
    return pick(maps, card, example.shape)


def _recalibrated(peaks: Picks, calibration: Calibration) -> Picks:
    """Peaks whose scores are still heights, with scores that are probabilities."""
    return replace(peaks, scores=calibrate(peaks.scores, calibration))


def _calibrate(labelled: Sequence[Example], peaks: dict[Path, Picks]) -> Calibration:
    """From completely labelled ground that was held out."""
    heights, hits = [], []
    for example in labelled:
        found, truth = _on_held_out_ground(example, peaks[example.path])
        heights.append(found.scores)
        hits.append(_hits(found, truth, example))
    return fit(logit(np.concatenate(heights)), np.concatenate(hits))


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
        PARTICLE_PX / labelled[0].rescaling.factor,
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
    found = np.concatenate([_found(e, picks[e.path], threshold) for e in labelled])
    scores = np.concatenate([t.with_status(Status.OK).scores for t in picks.values()])
    kept = scores[scores >= threshold]
    precision = float(kept.mean()) if len(kept) else 0.0
    recall = float(found.mean()) if len(found) else float(kept.sum() / max(scores.sum(), 1e-9))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Judgement(calibration, threshold, f1, np.nan, precision, recall, picks)


def _found(example: Example, picks: Picks, threshold: float) -> NDArray[np.bool_]:
    """Which held-out picks of a person the kept picks hit."""
    assert example.picks is not None
    assert example.held_out is not None
    held = example.picks.positions[example.held_out.picks]
    hit = np.zeros(len(held), dtype=bool)
    kept = picks.positions[picks.scores >= threshold]
    hit[match(kept, held, PARTICLE_PX / example.rescaling.factor / 2).truth] = True
    return hit


def _judges(example: Example) -> bool:
    """Whether some ground of it is held out."""
    return example.held_out is not None and example.held_out.rows[1] > example.held_out.rows[0]


def _on_held_out_ground(example: Example, picks: Picks) -> tuple[Picks, Picks]:
    """Found and true picks there."""
    assert example.picks is not None
    assert example.held_out is not None
    within, truth = example.held_out.within, example.picks
    truth = truth[truth.statuses != Status.DELETED]
    return picks[within(picks.positions)], truth[within(truth.positions)]


def _hits(found: Picks, truth: Picks, example: Example) -> NDArray[np.bool_]:
    radius_px = PARTICLE_PX / example.rescaling.factor / 2
    hits = np.zeros(len(found), dtype=bool)
    hits[match(found.positions, truth.positions, radius_px, found.scores).found] = True
    return hits
