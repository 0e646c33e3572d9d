"""How well picks agree with annotated particles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.files import without_nan
from ..picks import Picks, Status
from .curves import Curve, expected_calibration_error, score_curve
from .matching import match


@dataclass(frozen=True)
class Rates:
    """Precision, recall and F1.

    A ratio of nothing to nothing is 1 where no particle was annotated and none was picked, and 0
    elsewhere: an empty micrograph left empty is perfect, one with false picks is worthless.
    """

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, matched: int, found: int, truth: int) -> Rates:
        """Compute rates from counts: picks that are particles, all picks, all particles."""
        if not found and not truth:
            return cls(1.0, 1.0, 1.0)
        return cls(matched / max(found, 1), matched / max(truth, 1), 2 * matched / (found + truth))


@dataclass(frozen=True)
class ParticleScores:
    """Figures at particle level; NaN where there is nothing to compute one from.

    Attributes
    ----------
    macro, micro
        Means over all annotated micrographs, also those without a pick or without a particle, and
        figures of all picks and particles pooled.
    average_precision, best_f1, best_f1_threshold
        Area under the pooled precision-recall curve, its highest F1, and the score that reaches it.
    calibration_error
        Mean distance of score and fraction of particles, in ten equal-width bins of the score.
    centre_error_px, centre_error_angstrom
        Mean distance of a matched pick from its particle.
    micrographs, found, truth, matched, ignored
        How many annotated micrographs, picks in them, particles, pairs of the two, and further
        picks at ignored places.
    """

    macro: Rates
    micro: Rates
    average_precision: float
    best_f1: float
    best_f1_threshold: float
    calibration_error: float
    centre_error_px: float
    centre_error_angstrom: float
    micrographs: int
    found: int
    truth: int
    matched: int
    ignored: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain values, ready for JSON: NaN becomes None."""
        return without_nan(asdict(self))


@dataclass(frozen=True, eq=False)
class _Tally:
    """Particles there are, and per pick its score and its distance (NaN: no particle).

    Picks at ignored places are only counted.
    """

    truth: int
    scores: NDArray[np.float64]
    distances_px: NDArray[np.float64]
    ignored: int

    @property
    def hits(self) -> NDArray[np.bool_]:
        return np.isfinite(self.distances_px)

    @property
    def rates(self) -> Rates:
        return Rates.of(int(self.hits.sum()), len(self.scores), self.truth)


def score_particles(
    found: Mapping[Any, Picks],
    truth: Mapping[Any, Picks],
    diameter_px: float,
    pixel_size_angstrom: float | None = None,
    threshold: float | None = None,
    ignored: Mapping[Any, Picks] | None = None,
) -> ParticleScores:
    """Score picks against annotations.

    Pairs are one-to-one, greedy by ascending distance, within half a diameter; the curve behind
    average precision and best F1 is `precision_recall_curve`. Every micrograph in `truth` counts
    as annotated; picks on others are left out. Picks count where their status is OK, found and
    true ones. A pick without a score counts as certain, except for calibration.

    Parameters
    ----------
    found, truth
        Picks by micrograph, under the same keys.
    diameter_px
        Particle diameter in px of the micrographs.
    pixel_size_angstrom
        For the centre error in Å.
    threshold
        Lowest score kept, for every figure but those of the curve; None keeps all picks.
    ignored
        Places by micrograph that may or may not be particles. A pick that matches no particle but
        one of these, again one-to-one and within half a diameter, is neither right nor wrong, and
        none of them is missed.
    """
    tallies = _tallies(found, truth, ignored, diameter_px / 2, threshold=threshold)
    curve = precision_recall_curve(found, truth, diameter_px, ignored)
    pooled = _pool(tallies)
    each = [(tally.rates.precision, tally.rates.recall, tally.rates.f1) for tally in tallies]
    macro = np.mean(each or [(nan, nan, nan)], axis=0)
    scored = np.isfinite(pooled.scores)
    best_f1, best_f1_threshold = curve.best_f1
    error_px = float(pooled.distances_px[pooled.hits].mean()) if pooled.hits.any() else nan
    return ParticleScores(
        macro=Rates(*macro.tolist()),
        micro=pooled.rates,
        average_precision=curve.average_precision,
        best_f1=best_f1,
        best_f1_threshold=best_f1_threshold,
        calibration_error=expected_calibration_error(pooled.scores[scored], pooled.hits[scored]),
        centre_error_px=error_px,
        centre_error_angstrom=error_px * (pixel_size_angstrom or nan),
        micrographs=len(tallies),
        found=len(pooled.scores),
        truth=pooled.truth,
        matched=int(pooled.hits.sum()),
        ignored=pooled.ignored,
    )


def precision_recall_curve(
    found: Mapping[Any, Picks],
    truth: Mapping[Any, Picks],
    diameter_px: float,
    ignored: Mapping[Any, Picks] | None = None,
) -> Curve:
    """Precision and recall of all annotated micrographs pooled, at every threshold.

    Here the best-scored pick takes its nearest free particle first, as is usual for detection,
    so that the pairs above a threshold do not depend on the picks below it. A pick without a
    score counts as certain: of picks without any, average precision is precision times recall.
    The parameters are those of `score_particles`.
    """
    pooled = _pool(_tallies(found, truth, ignored, diameter_px / 2, by_score=True))
    return score_curve(_certain(pooled.scores), pooled.hits, pooled.truth)


def _tallies(
    found: Mapping[Any, Picks],
    truth: Mapping[Any, Picks],
    ignored: Mapping[Any, Picks] | None,
    radius_px: float,
    threshold: float | None = None,
    by_score: bool = False,
) -> list[_Tally]:
    """Match the picks that count with the particles that do, in each annotated micrograph."""
    none, tallies = Picks.at([]), []
    for name in truth:
        picks, particles, places = (
            table.get(name, none).with_status(Status.OK) for table in (found, truth, ignored or {})
        )
        if threshold is not None:
            picks = picks[_certain(picks.scores) >= threshold]
        distances = _distances_px(picks, particles, radius_px, by_score)
        wrong = np.flatnonzero(np.isnan(distances))
        excused = wrong[np.isfinite(_distances_px(picks[wrong], places, radius_px, by_score))]
        scores, distances = (np.delete(each, excused) for each in (picks.scores, distances))
        tallies.append(_Tally(len(particles), scores, distances, len(excused)))
    return tallies


def _distances_px(
    found: Picks, places: Picks, radius_px: float, by_score: bool
) -> NDArray[np.float64]:
    """Return how far each pick is from the place that it is matched with; NaN without one."""
    scores = _certain(found.scores) if by_score else None
    matches = match(found.positions, places.positions, radius_px, scores)
    distances = np.full(len(found), nan)
    distances[matches.found] = matches.distances_px
    return distances


def _certain(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(scores, nan=1.0)


def _pool(tallies: list[_Tally]) -> _Tally:
    return _Tally(
        sum(tally.truth for tally in tallies),
        np.concatenate([np.empty(0), *(tally.scores for tally in tallies)]),
        np.concatenate([np.empty(0), *(tally.distances_px for tally in tallies)]),
        sum(tally.ignored for tally in tallies),
    )
