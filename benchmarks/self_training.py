"""Measure what rounds of self-training change.

    python benchmarks/self_training.py DATA [--seeds 3] [--only NAME] [--steps N] [--json FILE]

DATA holds `apoferritin/` (EMPIAR-10146) and `beta_galactosidase/` (EMPIAR-10017); README.md says
where to get them. Each seed labels another micrograph (or another four); the others are unlabelled,
and their labels, which no training sees, score the initial model and every round at the threshold
that each chose itself. F1 is the mean over micrographs. Runs that the JSON file holds are not
repeated.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from labels_to_picks import Task
from sets import (
    APOFERRITIN,
    GALACTOSIDASE,
    clicks,
    parser,
    predictions,
    score,
    spread,
    write_json,
)

from napari_cryopick.runs import train
from napari_cryopick.training.events import Iteration
from napari_cryopick.training.settings import SelfTrainSettings

TASKS = {
    "apoferritin, 10 clicks": Task(APOFERRITIN, 10),
    "β-galactosidase, 20 clicks": Task(GALACTOSIDASE, 20),
    "apoferritin, 4 complete": Task(APOFERRITIN, None, 4),
    "β-galactosidase, 4 complete": Task(GALACTOSIDASE, None, 4),
}


def run(task: Task, data: Path, seed: int, **settings: Any) -> list[dict[str, Any]]:
    """Self-train once and score every iteration on the micrographs without labels."""
    labelled = task.labelled
    paths, truth = labelled.micrographs(data), labelled.truth(data)
    rng = np.random.default_rng(seed)
    chosen = [paths[i] for i in rng.permutation(len(paths))[: task.micrographs]]
    others = [path for path in paths if path not in chosen]
    options = SelfTrainSettings(
        diameter_angstrom=labelled.diameter_angstrom,
        pixel_size_angstrom=labelled.pixel_size_angstrom,
        complete=task.clicks is None,
        seed=seed,
        **settings,
    )
    picks = {path: clicks(truth[path], task.clicks, rng) for path in chosen}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for event in train(paths, picks, options, Path(folder) / "run"):
            if isinstance(event, Iteration):
                found, threshold = predictions(labelled, others, str(event.path.parent))
                scores = score(labelled, data, found, threshold)
                rows.append(
                    {
                        "iteration": event.name,
                        "accepted": event.accepted,
                        "reason": event.reason,
                        "F1": scores.macro.f1,
                        "average precision": scores.average_precision,
                    }
                )
    return rows


def table(name: str, runs: list[list[dict[str, Any]]]) -> str:
    """Return a Markdown table of one task, an iteration a row."""
    lines = [f"\n| {name} | F1 | AP | kept |", "|---|---|---|---|"]
    for number in range(max(map(len, runs))):
        rows = [rows[number] for rows in runs if number < len(rows)]
        f1, precision = (spread(row[key] for row in rows) for key in ("F1", "average precision"))
        kept = sum(row["accepted"] for row in rows)
        title = "initial model" if number == 0 else f"round {number}"
        lines.append(f"| {title} | {f1} | {precision} | {kept} of {len(rows)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the tasks that are not done yet and print a table of each."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--only", default="", help="part of a task's name")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--steps", type=int, help="steps of each training, to try the script")
    arguments.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = arguments.parse_args()
    settings = {"rounds": given.rounds}
    if given.steps:
        settings |= {"steps": given.steps, "round_steps": given.steps}
    done = json.loads(given.json.read_text()) if given.json and given.json.exists() else {}
    for name, task in TASKS.items():
        if given.only in name:
            runs = done.setdefault(name, [])
            for seed in range(len(runs), given.seeds):
                runs.append(run(task, given.data, seed, **settings))
                write_json(given.json, done)
            print(table(name, runs), flush=True)


if __name__ == "__main__":
    main()
