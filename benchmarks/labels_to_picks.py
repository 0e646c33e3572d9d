"""Measure how good picks are after so many labels: train, pick the other micrographs, score them.

    python benchmarks/labels_to_picks.py DATA [--seeds 3] [--only NAME] [--steps N] [--json FILE]

DATA holds `apoferritin/` (EMPIAR-10146), `apoferritin_single_frame/` and `beta_galactosidase/`
(EMPIAR-10017); README.md says where to get them. Each seed labels another micrograph (or another
four); the others are scored at the threshold that the program chooses. F1, precision and recall are
means over the scored micrographs, average precision is pooled; then mean and range over seeds.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sets import (
    APOFERRITIN,
    GALACTOSIDASE,
    SINGLE_FRAMES,
    LabelledSet,
    clicks,
    parser,
    predictions,
    score,
    spread,
    write_json,
)

from napari_cryopick.runs import train
from napari_cryopick.training.settings import TrainSettings


@dataclass(frozen=True)
class Task:
    """So many clicks (None: every particle) on so many micrographs of a set."""

    labelled: LabelledSet
    clicks: int | None
    micrographs: int = 1


TASKS = {
    "apoferritin, 10 clicks": Task(APOFERRITIN, 10),
    "β-galactosidase, 20 clicks": Task(GALACTOSIDASE, 20),
    "β-galactosidase, 4 complete": Task(GALACTOSIDASE, None, 4),
    "apoferritin single frames, 10 clicks": Task(SINGLE_FRAMES, 10),
}


def run(task: Task, data: Path, seed: int, **settings: Any) -> dict[str, float]:
    """Train once and score the micrographs without labels."""
    labelled = task.labelled
    paths, truth = labelled.micrographs(data), labelled.truth(data)
    rng = np.random.default_rng(seed)
    chosen = [paths[i] for i in rng.permutation(len(paths))[: task.micrographs]]
    options = TrainSettings(
        diameter_angstrom=labelled.diameter_angstrom,
        pixel_size_angstrom=labelled.pixel_size_angstrom,
        complete=task.clicks is None,
        seed=seed,
        **settings,
    )
    picks = {path: clicks(truth[path], task.clicks, rng) for path in chosen}
    with tempfile.TemporaryDirectory() as folder:
        *_, finished = train(paths, picks, options, Path(folder) / "run")
        others = [path for path in paths if path not in chosen]
        scores = score(labelled, data, *predictions(labelled, others, str(finished.run)))
    return {
        "F1": scores.macro.f1,
        "precision": scores.macro.precision,
        "recall": scores.macro.recall,
        "average precision": scores.average_precision,
        "best F1, pooled": scores.best_f1,
        "calibration error": scores.calibration_error,
        "centre error, Å": scores.centre_error_angstrom,
        "training, s": finished.seconds,
    }


def main() -> None:
    """Run the tasks and print the mean and range of each figure."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--only", default="", help="part of a task's name")
    arguments.add_argument("--steps", type=int, help="optimiser steps, to try the script")
    arguments.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = arguments.parse_args()
    settings = {"steps": given.steps} if given.steps else {}
    collected = {}
    for name, task in TASKS.items():
        if given.only in name:
            rows = [run(task, given.data, seed, **settings) for seed in range(given.seeds)]
            print(f"\n{name} ({given.seeds} seeds)")
            for figure in rows[0]:
                print(f"  {figure:20}{spread(row[figure] for row in rows)}", flush=True)
            collected[name] = rows
            write_json(given.json, collected)


if __name__ == "__main__":
    main()
