"""Measure how well classes tell particles from junk, and fit what says so.

    python benchmarks/class_quality.py FOLDER...
    python benchmarks/class_quality.py FOLDER --fit STRUCTURES

Each FOLDER holds labelled sets (README.md), or simulated ones (`hard_sets.py`). The table has, for
each, the rank correlation of the share of true particles in a class with the share expected, the
mean error of the latter, and F1 (mean over micrographs, own threshold), best F1 and average
precision of the general model's picks before and after their scores are refined by classes.

With `--fit`, 16 other sets are simulated in FOLDER, unless they are there, and the weights and the
calibration of `napari_cryopick.classification.evidence` are fitted to them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hard_sets import LABELLED_SETS, HardSet, simulate
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit, logit
from scipy.stats import spearmanr
from sets import (
    LabelledSet,
    predictions,
    score,
)

from napari_cryopick.classification import CANDIDATE, ClassifySettings
from napari_cryopick.classification.classify import classify_micrographs
from napari_cryopick.classification.events import Classified
from napari_cryopick.classification.evidence import PRIOR_MEMBERS
from napari_cryopick.classification.refine import refine
from napari_cryopick.detection.calibration import best_threshold
from napari_cryopick.metrics.matching import match
from napari_cryopick.picks import Picks, Status

RECIPES = """
1AON 207 1.6 --defocus 6000 20000 --dose 25 40 --ice-thickness 500 900 --coverage 0.05 0.2 --debris 20 60
1B26 125 1.3 --defocus 5000 12000 --dose 30 40 --ice-thickness 400 900 --coverage 0.06 0.2
1BXN 121 1.4 --defocus 8000 20000 --dose 35 50 --ice-balls 4 --aggregates 3 --carbon-edges 0.5 --coverage 0.05 0.2 --debris 20 60
1DLO 116 1.2 --defocus 8000 18000 --dose 40 55 --ice-thickness 250 450 --coverage 0.08 0.2
1E6V 120 1.3 --defocus 6000 15000 --dose 35 50 --ice-thickness 300 600 --coverage 0.3 0.5 --spacing 0.8
1H38 110 1.2 --defocus 7000 16000 --dose 35 50 --ice-thickness 250 500 --coverage 0.05 0.15 --fragments 0.4
1HZH 173 1.4 --defocus 9000 20000 --dose 40 50 --ice-thickness 200 400 --coverage 0.05 0.2
1N2C 149 1.4 --defocus 6000 15000 --dose 30 45 --ice-thickness 400 700 --coverage 0.1 0.3 --fragments 0.5
1OCC 161 1.5 --defocus 8000 20000 --dose 35 50 --ice-balls 3 --crystalline-ice 0.3 --coverage 0.05 0.2 --debris 10 40
1RUZ 133 1.3 --defocus 5000 12000 --dose 30 45 --ice-thickness 300 700 --coverage 0.1 0.3
2CG9 131 1.3 --defocus 6000 14000 --dose 30 45 --ice-thickness 400 800 --coverage 0.08 0.2
7CAT 101 1.2 --defocus 8000 20000 --dose 40 50 --ice-thickness 200 400 --coverage 0.4 0.55 --spacing 0.75 --overlapping 0.1
6VYK 142 1.4 --defocus 7000 16000 --dose 35 50 --ice-thickness 250 500 --coverage 0.05 0.25 --orientations preferred
3SN6 174 1.3 --defocus 7000 18000 --dose 35 50 --ice-thickness 250 500 --coverage 0.05 0.2
1AUK 152 1.5 --defocus 5000 10000 --dose 25 40 --ice-thickness 500 900 --coverage 0.1 0.3
1GYT 133 2.5 --defocus 9000 22000 --dose 35 50 --ice-thickness 250 500 --coverage 0.3 0.5
"""  # noqa: E501
"""Structure, diameter in Å, pixel size in Å, and conditions of the sets that are fitted to."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The picks of a set that are classified, by micrograph, and which of them are particles."""

    picks: dict[Path, Picks]
    hits: dict[Path, NDArray[np.bool_]]
    ignored: dict[Path, NDArray[np.bool_]]
    result: Classified
    threshold: float


def training_sets() -> list[HardSet]:
    """Return the sets to fit to."""
    sets = []
    for seed, line in enumerate(RECIPES.strip().splitlines(), 101):
        name, diameter, pixel_size, options = line.split(maxsplit=3)
        sets.append(
            HardSet(name, LabelledSet(name, float(diameter), float(pixel_size)), seed, options)
        )
    return sets


def candidates(labelled: LabelledSet, data: Path) -> Candidates:
    """Predict a set with the general model and classify what it finds."""
    found, threshold = predictions(labelled, labelled.micrographs(data), "general")
    picks = {path: table[table.scores >= CANDIDATE] for path, table in found.items()}
    settings = ClassifySettings(
        diameter_angstrom=labelled.diameter_angstrom,
        pixel_size_angstrom=labelled.pixel_size_angstrom,
    )
    *_, result = classify_micrographs(list(picks), picks, settings)
    truth, uncertain = labelled.truth(data), labelled.to_ignore(data)
    hits, ignored = {}, {}
    for path, table in picks.items():
        hits[path] = _near(table, truth[path], labelled)
        ignored[path] = _near(table, uncertain.get(path, Picks.at([])), labelled) & ~hits[path]
    return Candidates(picks, hits, ignored, result, threshold)


def _near(picks: Picks, others: Picks, labelled: LabelledSet) -> NDArray[np.bool_]:
    pairs = match(picks.positions, others.positions, labelled.diameter_px / 2, picks.scores)
    return np.isin(np.arange(len(picks)), pairs.found)


def true_shares(found: Candidates) -> NDArray[np.float64]:
    """Return the (K,) shares of particles in the classes, NaN in those of fewer than ten."""
    numbers, hits, ignored = (
        np.concatenate([each[path] for path in found.result.members])
        for each in (
            {path: one.classes for path, one in found.result.members.items()},
            found.hits,
            found.ignored,
        )
    )
    counts, good = (
        np.bincount(numbers[~ignored], weights, minlength=len(found.result.classes) + 1)[1:]
        for weights in (None, hits[~ignored])
    )
    return np.where(counts >= 10, good / np.maximum(counts, 1), np.nan)


def row(labelled: LabelledSet, data: Path) -> str:
    """Return the figures of a set as cells of a table."""
    found = candidates(labelled, data)
    true, expected = true_shares(found), found.result.classes.expected_shares
    known = np.isfinite(true)
    error = np.average(np.abs(true - expected)[known], weights=found.result.classes.members[known])
    rank = spearmanr(true[known], expected[known])[0] if known.sum() > 2 else np.nan
    before = score(labelled, data, found.picks, found.threshold)
    refined = refine(found.picks, found.result)
    after = before
    if refined is not None:
        scores = [table.with_status(Status.OK).scores for table in refined.values()]
        after = score(labelled, data, refined, best_threshold(np.concatenate(scores)))
    changes = [
        f"{one:.3f}, {other:.3f}"
        for one, other in (
            (before.macro.f1, after.macro.f1),
            (before.best_f1, after.best_f1),
            (before.average_precision, after.average_precision),
        )
    ]
    return f"{rank:.2f} | {error:.2f} | " + " | ".join(changes)


def features(found: Candidates) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (n, 4) terms of the evidence and 1, and (n,) hits, of picks that have a class."""
    members = found.result.members
    scores = np.concatenate([found.picks[path].scores for path in members])
    numbers = np.concatenate([one.classes for one in members.values()])
    correlations = np.concatenate([one.correlations for one in members.values()])
    hits = np.concatenate([found.hits[path] for path in members])
    sums, counts = np.bincount(numbers, scores), np.bincount(numbers)
    means = (sums + PRIOR_MEMBERS * scores.mean()) / (counts + PRIOR_MEMBERS)
    terms = [logit(scores.clip(1e-4, 1 - 1e-4)), logit(means)[numbers], correlations]
    known = numbers > 0
    return np.stack([*terms, np.ones(len(scores))], axis=1)[known], hits[known]


def fit(sets: list[Candidates]) -> NDArray[np.float64]:
    """Return the weights of the terms; each set counts alike."""
    data = [features(found) for found in sets]

    def loss(weights: NDArray[np.float64]) -> float:
        terms = (-log_expit(np.where(hits, 1, -1) * (x @ weights)).mean() for x, hits in data)
        return float(sum(terms)) + 2e-3 * float(np.square(weights[:3]).sum())

    return np.asarray(minimize(loss, np.zeros(4)).x)


def main() -> None:
    """Print a Markdown table, or the fit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folders", type=Path, nargs="+")
    arguments.add_argument("--fit", type=Path, help="folder of structures to simulate and fit to")
    given = arguments.parse_args()
    if given.fit:
        for hard in training_sets():
            if not (given.folders[0] / hard.labelled.folder).is_dir():
                simulate(hard, given.fit, given.folders[0])
        own, of_class, correlation, offset = fit(
            [candidates(hard.labelled, given.folders[0]) for hard in training_sets()]
        )
        print(f"CLASS_WEIGHT {of_class / own:.2f}, CORRELATION_WEIGHT {correlation / own:.2f}")
        print(f"SLOPE {own:.2f}, OFFSET {offset:.2f}")
        return
    print("| set | rank | error | F1, refined | best F1, refined | AP, refined |")
    print("|---|---|---|---|---|---|")
    for labelled in LABELLED_SETS:
        for folder in given.folders:
            if (folder / labelled.folder).is_dir():
                print(f"| {labelled.folder} | {row(labelled, folder)} |", flush=True)


if __name__ == "__main__":
    main()
