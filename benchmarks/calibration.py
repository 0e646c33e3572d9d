"""Measure how right the general model's scores are, and what clicks make of its threshold.

    python benchmarks/calibration.py FOLDER... [--clicks 20] [--draws 20]

Each FOLDER holds some of the labelled sets (README.md), or simulated ones (`hard_sets.py`). No
network is trained: clicks are drawn at random on one micrograph, `--draws` times, and calibrate the
scores of the general model. The table has the slope and offset that fit a set best without density
prior, and how far the offset at slope `POOLED_SLOPE` lies from the one that keeps the number of
particles expected, which defends the constants of `napari_cryopick.detection.calibration`; then F1
(mean over micrographs) at the model's own threshold, after clicks (mean and range, and in how many
draws precision and recall are known), and at the best threshold (pooled).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from hard_sets import LABELLED_SETS
from numpy.typing import NDArray
from sets import (
    LabelledSet,
    score,
    spread,
)

from napari_cryopick.detection import PredictSettings
from napari_cryopick.detection.calibration import (
    POOLED_SLOPE,
    ExpectedScores,
    as_logits,
    best_threshold,
    calibrate,
    calibrate_by_clicks,
    fit,
    match_expected_count,
)
from napari_cryopick.detection.predict import predict
from napari_cryopick.io import read_micrograph
from napari_cryopick.metrics.matching import match
from napari_cryopick.metrics.particles import ParticleScores
from napari_cryopick.model.card import Calibration
from napari_cryopick.model.registry import load_model
from napari_cryopick.picks import Picks, Status


@dataclass(frozen=True)
class Peaks:
    """The peaks of a set, their heights, and which lie on particles, for each micrograph."""

    labelled: LabelledSet
    data: Path
    found: dict[Path, Picks]
    hits: list[NDArray[np.bool_]]

    @property
    def heights(self) -> list[NDArray[np.float64]]:
        return [table.scores for table in self.found.values()]

    @property
    def logits(self) -> list[NDArray[np.float64]]:
        return [as_logits(each) for each in self.heights]

    def scored(
        self, calibration: Calibration, threshold: float | None = None
    ) -> tuple[ParticleScores, ExpectedScores]:
        """Return what a calibration reaches, and what it expects."""
        scores = [calibrate(each, calibration) for each in self.heights]
        every = np.concatenate(scores)
        kept = best_threshold(every) if threshold is None else threshold
        picks = {
            path: Picks.at(table.positions, each)
            for (path, table), each in zip(self.found.items(), scores, strict=True)
        }
        expected = ExpectedScores.of(every, every >= kept, calibration.offset_sd)
        return score(self.labelled, self.data, picks, kept), expected


def peaks_of(labelled: LabelledSet, data: Path) -> Peaks:
    """Predict a set with the general model, without its calibration."""
    model, truth = load_model("general"), labelled.truth(data)
    plain = replace(model, card=model.card.model_copy(update={"calibration": Calibration()}))
    size, diameter = labelled.pixel_size_angstrom, labelled.diameter_angstrom
    settings = PredictSettings(diameter_angstrom=diameter, pixel_size_angstrom=size)
    found, hits = {}, []
    for path in labelled.micrographs(data):
        picks, _ = predict(plain, read_micrograph(path, size), settings)
        found[path] = picks = picks.with_status(Status.OK)
        centres = truth.get(path, Picks.at([])).positions
        pairs = match(picks.positions, centres, labelled.diameter_px / 2, picks.scores)
        hits.append(np.isin(np.arange(len(picks)), pairs.found))
    return Peaks(labelled, data, found, hits)


def fitted(peaks: Peaks, own: Calibration) -> tuple[float, float, float]:
    """Return the slope and offset that fit best, and the offset less that of the count expected."""
    pooled, hits = [np.concatenate(peaks.logits)], [np.concatenate(peaks.hits)]
    best, flat = fit(pooled, hits), Calibration(slope=POOLED_SLOPE)
    expected = sum(float(calibrate(each, own).sum()) for each in peaks.heights)
    before, true = (
        match_expected_count(peaks.heights, count, flat) for count in (expected, hits[0].sum())
    )
    return best.slope, best.offset, true.offset - before.offset


def clicked(peaks: Peaks, count: int, rng: np.random.Generator) -> list[NDArray[np.bool_]]:
    """Click on so many particles of one micrograph."""
    chosen = rng.choice([i for i, hit in enumerate(peaks.hits) if hit.any()])
    clicks = [np.zeros_like(hit) for hit in peaks.hits]
    particles = np.flatnonzero(peaks.hits[chosen])
    clicks[chosen][rng.permutation(particles)[:count]] = True
    return clicks


def rows(peaks: Peaks, count: int, draws: int) -> Iterator[str]:
    """Yield the figures of one set, as cells of a table."""
    card = load_model("general").card
    own = card.calibration
    slope, offset, off = fitted(peaks, own)
    yield f"{slope:.2f}, {offset:+.2f}; {off:+.2f}"
    before, expected = peaks.scored(own, card.threshold)
    yield f"{before.macro.f1:.3f} ({_compared(before, expected)})"
    rng = np.random.default_rng(0)
    after = [
        peaks.scored(
            calibrate_by_clicks(peaks.heights, clicked(peaks, count, rng), own, card.threshold)
        )
        for _ in range(draws)
    ]
    shown = [expected.known for _, expected in after]
    yield f"{spread(scores.macro.f1 for scores, _ in after)}, known in {sum(shown)}"
    yield f"{before.best_f1:.3f}"


def _compared(scores: ParticleScores, expected: ExpectedScores) -> str:
    true = f"precision {scores.micro.precision:.2f}, recall {scores.micro.recall:.2f}"
    return f"{true}; {expected}"


def main() -> None:
    """Print a Markdown table with a row for each set that is there."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folders", type=Path, nargs="+")
    arguments.add_argument("--clicks", type=int, default=20)
    arguments.add_argument("--draws", type=int, default=20)
    given = arguments.parse_args()
    print("| set | fit: slope, offset; offset off by | F1, own threshold | after clicks | best |")
    print("|---|---|---|---|---|")
    for labelled in LABELLED_SETS:
        for folder in given.folders:
            if (folder / labelled.folder).is_dir():
                cells = rows(peaks_of(labelled, folder), given.clicks, given.draws)
                print(f"| {labelled.folder} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
