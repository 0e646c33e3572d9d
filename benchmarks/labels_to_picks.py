"""Measure how good picks are after so many labels: train, pick the other micrographs, score them.

    python benchmarks/labels_to_picks.py DATA [--seeds 3] [--only NAME] [--steps N] [--json FILE]

DATA holds `apoferritin/` (EMPIAR-10146), `apoferritin_single_frame/`, `beta_galactosidase/`
(EMPIAR-10017) and `t20s_proteasome/` (README.md says where to get them), or the simulated sets of
`hard_sets.py`; those that are not there are left out. Each seed labels another micrograph (or
another four); the others are scored at the threshold that the program chooses. F1, precision and
recall are means over the scored micrographs, average precision is pooled; then mean and range over
seeds. F1 of the general model is that without a click on the same micrographs.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hard_sets import HARD_SETS
from sets import (
    APOFERRITIN,
    GALACTOSIDASE,
    SINGLE_FRAMES,
    T20S_CERTAIN,
    LabelledSet,
    clicks,
    parser,
    predictions,
    score,
    spread,
    write_json,
)

from napari_cryopick.detection.calibration import ExpectedScores
from napari_cryopick.model.card import Calibration
from napari_cryopick.model.registry import load_model
from napari_cryopick.picks import Picks, Status
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
    "T20S, 10 clicks": Task(T20S_CERTAIN, 10),
} | {f"{hard.labelled.folder}, 20 clicks": Task(hard.labelled, 20) for hard in HARD_SETS}


def run(task: Task, data: Path, seed: int, **settings: Any) -> dict[str, float]:
    """Train once and score the micrographs without labels."""
    labelled = task.labelled
    paths, truth = labelled.micrographs(data), labelled.truth(data)
    rng = np.random.default_rng(seed)
    labelled_paths = [path for path in paths if len(truth[path])]
    order = rng.permutation(len(labelled_paths))
    chosen = [labelled_paths[i] for i in order[: task.micrographs]]
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
        found, threshold = predictions(labelled, others, str(finished.run))
        expected = expectation(found, threshold, load_model(finished.run).card.calibration)
    scores = score(labelled, data, found, threshold)
    untrained = score(labelled, data, *predictions(labelled, others, "general"))
    return {
        "F1": scores.macro.f1,
        "precision": scores.macro.precision,
        "recall": scores.macro.recall,
        "average precision": scores.average_precision,
        "best F1, pooled": scores.best_f1,
        "F1 of the general model": untrained.macro.f1,
        "expected precision": expected.precision,
        "expected recall": expected.recall,
        "calibration error": scores.calibration_error,
        "centre error, Å": scores.centre_error_angstrom,
        "training, s": finished.seconds,
    }


def expectation(
    found: dict[Path, Picks], threshold: float, calibration: Calibration
) -> ExpectedScores:
    """Return the precision and recall that the scores promise, NaN where they are not known."""
    scores = np.concatenate([table.with_status(Status.OK).scores for table in found.values()])
    return ExpectedScores.of(scores, scores >= threshold, calibration.offset_sd)


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
        if given.only in name and (given.data / task.labelled.folder).is_dir():
            rows = [run(task, given.data, seed, **settings) for seed in range(given.seeds)]
            print(f"\n{name} ({given.seeds} seeds)")
            for figure in rows[0]:
                known = [row[figure] for row in rows if not np.isnan(row[figure])]
                note = f" in {len(known)} of {len(rows)}" * (0 < len(known) < len(rows))
                print(f"  {figure:26}{spread(known) if known else 'not known'}{note}", flush=True)
            collected[name] = rows
            write_json(given.json, collected)


if __name__ == "__main__":
    main()
