"""Measure training on marked classes against the general model and against clicks.

    python benchmarks/class_marks.py FOLDER... [--seeds 1] [--clicks 20] [--only NAME] [--steps N]

Each FOLDER holds some of the labelled sets (README.md), or simulated ones (`hard_sets.py`). What
the general model scores at least 0.1 is classified. A person who marks classes is imitated by the
truth: classes with a share of true particles below 0.2 are junk, above 0.45 particle. Their members
on every other micrograph are trained on, and the micrographs between are scored. Rows are the
general model, so many clicks on one micrograph, and the marks; columns F1 at the model's own
threshold (mean over micrographs), best F1 and average precision (pooled), and how many particles
the scores add up to, as a share of the true ones; means over seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from hard_sets import HARD_SETS
from numpy.typing import NDArray
from sets import (
    APOFERRITIN,
    GALACTOSIDASE,
    SINGLE_FRAMES,
    T20S_CERTAIN,
    LabelledSet,
    clicks,
    predictions,
    score,
)

from napari_cryopick.classification import CANDIDATE, ClassifySettings
from napari_cryopick.classification.classify import classify_micrographs
from napari_cryopick.classification.events import Classified
from napari_cryopick.io.class_folder import CLASS
from napari_cryopick.metrics.matching import match
from napari_cryopick.picks import Picks, PickSet, Status
from napari_cryopick.runs import train
from napari_cryopick.training.class_marks import picks_of_marks
from napari_cryopick.training.settings import TrainSettings

REAL = (APOFERRITIN, GALACTOSIDASE, T20S_CERTAIN, SINGLE_FRAMES)
JUNK, PARTICLE = 0.2, 0.45
FIGURES = "F1", "best F1", "average precision", "particles expected"


def marks(labelled: LabelledSet, data: Path, seed: int) -> dict[Path, Picks]:
    """Classify candidates and mark the classes; return the labels of every micrograph."""
    paths = labelled.micrographs(data)
    found, _ = predictions(labelled, paths, "general")
    picks = {
        path: table[table.scores >= CANDIDATE].with_status(Status.OK)
        for path, table in found.items()
    }
    settings = ClassifySettings(
        diameter_angstrom=labelled.diameter_angstrom,
        pixel_size_angstrom=labelled.pixel_size_angstrom,
        seed=seed,
    )
    *_, result = classify_micrographs(paths, picks, settings)
    assert isinstance(result, Classified)
    classes = {path: members.classes for path, members in result.members.items()}
    particle, junk = marked(labelled, data, picks, classes)
    print(f"  {len(result.classes)} classes, particle {particle}, junk {junk}", flush=True)
    if not particle and not junk:
        return {}
    numbered = {
        str(path): Picks.at(table.positions, extra={CLASS: classes[path]})
        for path, table in picks.items()
        if path in classes
    }
    labels = picks_of_marks(PickSet(numbered), particle, junk)
    return {Path(name): table for name, table in labels.by_micrograph.items()}


def marked(
    labelled: LabelledSet,
    data: Path,
    picks: Mapping[Path, Picks],
    classes: Mapping[Path, NDArray[np.int_]],
) -> tuple[list[int], list[int]]:
    """Return which classes a person would mark as particle and as junk."""
    truth, ignored = labelled.truth(data), labelled.to_ignore(data)
    numbers, hits = [], []
    for path, of in classes.items():
        hit = _hits(picks[path], truth[path], labelled.diameter_px)
        open_ = _hits(picks[path], ignored.get(path, Picks.at([])), labelled.diameter_px) & ~hit
        numbers.append(of[~open_])
        hits.append(hit[~open_])
    every, true = np.concatenate(numbers), np.concatenate(hits)
    shares = {int(k): float(true[every == k].mean()) for k in np.unique(every[every > 0])}
    particle = [k for k, share in shares.items() if share > PARTICLE]
    return particle, [k for k, share in shares.items() if share < JUNK]


def _hits(found: Picks, truth: Picks, diameter_px: float) -> NDArray[np.bool_]:
    pairs = match(found.positions, truth.positions, diameter_px / 2, found.scores)
    return np.isin(np.arange(len(found)), pairs.found)


def trained(
    labelled: LabelledSet,
    data: Path,
    picks: Mapping[Path, Picks],
    scored: list[Path],
    seed: int,
    steps: int | None,
) -> dict[str, float]:
    """Train on picks, and score the micrographs that are held back."""
    settings = TrainSettings(
        diameter_angstrom=labelled.diameter_angstrom,
        pixel_size_angstrom=labelled.pixel_size_angstrom,
        seed=seed,
        **({"steps": steps} if steps else {}),
    )
    with tempfile.TemporaryDirectory() as folder:
        *_, finished = train(labelled.micrographs(data), picks, settings, Path(folder) / "run")
        return figures(labelled, data, scored, str(finished.run))


def figures(labelled: LabelledSet, data: Path, scored: list[Path], model: str) -> dict[str, float]:
    """Score a model."""
    found, threshold = predictions(labelled, scored, model)
    scores, truth = score(labelled, data, found, threshold), labelled.truth(data)
    total = sum(table.with_status(Status.OK).scores.sum() for table in found.values())
    counted = sum(len(truth[path]) for path in scored)
    values = scores.macro.f1, scores.best_f1, scores.average_precision, float(total) / counted
    return dict(zip(FIGURES, values, strict=True))


def run(
    labelled: LabelledSet, data: Path, seed: int, count: int, steps: int | None
) -> dict[str, dict[str, float]]:
    """Return the figures of the general model, of clicks and of marks on one half."""
    paths, truth = labelled.micrographs(data), labelled.truth(data)
    used, scored = paths[seed % 2 :: 2], paths[1 - seed % 2 :: 2]
    rng = np.random.default_rng(seed)
    clicked = rng.choice([path for path in used if len(truth[path])])
    labels = {
        f"{count} clicks": {clicked: clicks(truth[clicked], count, rng)},
        "marked classes": {
            path: table for path, table in marks(labelled, data, seed).items() if path in used
        },
    }
    rows = {"general model": figures(labelled, data, scored, "general")}
    for name, picks in labels.items():
        if picks:
            rows[name] = trained(labelled, data, picks, scored, seed, steps)
    return rows


def main() -> None:
    """Print a table for each set that is there."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folders", type=Path, nargs="+")
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--clicks", type=int, default=20)
    arguments.add_argument("--only", default="", help="part of a set's name")
    arguments.add_argument("--steps", type=int, help="optimiser steps, to try the script")
    given = arguments.parse_args()
    for labelled in (*REAL, *(hard.labelled for hard in HARD_SETS)):
        for data in given.folders:
            if given.only in labelled.folder and (data / labelled.folder).is_dir():
                print(f"\n{labelled.folder}: {', '.join(FIGURES)}", flush=True)
                runs = [
                    run(labelled, data, seed, given.clicks, given.steps)
                    for seed in range(given.seeds)
                ]
                for name in dict.fromkeys(name for rows in runs for name in rows):
                    rows = [rows[name] for rows in runs if name in rows]
                    means = (np.mean([row[figure] for row in rows]) for figure in FIGURES)
                    print(f"  {name:18}{'  '.join(f'{mean:.3f}' for mean in means)}", flush=True)


if __name__ == "__main__":
    main()
