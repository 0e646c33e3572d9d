"""Does self-training help, and does it never harm?

    python benchmarks/self_training.py ../shared/data [--seeds 3] [--only NAME] [--json FILE]

For every task and seed one micrograph is clicked on, the others are unlabelled, and both the
supervised start and the final model pick these others at their own thresholds; their labels, which
no training sees, score both. The last tasks begin badly on purpose. Every finished run is kept in
the JSON file, and the same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tasks import parse_arguments, score_model, write_json

from napari_cryopick.io import find_micrographs, match_picks, read_picks
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.example import simulate_example
from napari_cryopick.training.events import Finished, Iteration
from napari_cryopick.training.self_training import self_train
from napari_cryopick.training.settings import SelfTrainSettings


@dataclass(frozen=True)
class Protein:
    """A folder of micrographs with all labels."""

    folder: str
    diameter_angstrom: float
    pixel_size_angstrom: float


APOFERRITIN = Protein("apoferritin", 126, 1.5)
GALACTOSIDASE = Protein("beta_galactosidase", 191, 1.77)


@dataclass(frozen=True)
class Task:
    """How a run begins: so many clicks, some of them wrong; unlabelled micrographs; a diameter."""

    protein: Protein
    clicks: int
    wrong: int = 0
    empty: bool = False
    stretch: float = 1.0


TASKS = {
    "β-galactosidase, 20 clicks": Task(GALACTOSIDASE, 20),
    "apoferritin, 10 clicks": Task(APOFERRITIN, 10),
    "bad start: 3 clicks": Task(APOFERRITIN, 3),
    "bad start: 5 of 10 clicks wrong": Task(APOFERRITIN, 10, wrong=5),
    "bad start: only empty micrographs unlabelled": Task(APOFERRITIN, 10, empty=True),
    "bad start: diameter 30 % too large": Task(GALACTOSIDASE, 20, stretch=1.3),
}


@dataclass(frozen=True)
class Result:
    """One run: the start and the final model on labels that no training has seen."""

    task: str
    seed: int
    start_f1: float
    final_f1: float
    start_average_precision: float
    final_average_precision: float
    best_f1: float
    precision: float
    recall: float
    calibration_error: float
    best_iteration: str
    seconds: float
    f1_of_iterations: list[float]
    accepted: list[bool]
    advice: str

    @property
    def gain(self) -> float:
        return self.final_f1 - self.start_f1


def run(name: str, task: Task, data: Path, seed: int, folder: Path) -> Result:
    """Self-train once, and score every iteration."""
    protein = task.protein
    paths = find_micrographs([data / protein.folder / "micrographs"])
    truth = match_picks(read_picks(data / protein.folder / "particles.star"), paths)
    rng = np.random.default_rng(seed)
    clicked, *others = [paths[i] for i in rng.permutation(len(paths))]
    unlabelled = empty_micrographs(folder, protein, len(others), seed) if task.empty else others
    sizes: dict[str, Any] = {
        "diameter_angstrom": protein.diameter_angstrom * task.stretch,
        "pixel_size_angstrom": protein.pixel_size_angstrom,
    }
    events = list(
        self_train(
            [clicked, *unlabelled],
            {clicked: click(truth[clicked], task, rng)},
            SelfTrainSettings(**sizes, seed=seed),
            folder / "run",
        )
    )
    finished = events[-1]
    assert isinstance(finished, Finished)
    iterations = [event for event in events if isinstance(event, Iteration)]
    scores = {
        one.name: score_model(one.path.parent, others, truth, sizes, protein.diameter_angstrom)
        for one in iterations
    }
    start, final = scores[iterations[0].name], scores[finished.model.parent.name]
    return Result(
        name,
        seed,
        start.macro.f1,
        final.macro.f1,
        start.average_precision,
        final.average_precision,
        final.best_f1,
        final.macro.precision,
        final.macro.recall,
        final.calibration_error,
        finished.model.parent.name,
        finished.seconds,
        [each.macro.f1 for each in scores.values()],
        [one.accepted for one in iterations],
        finished.advice,
    )


def click(particles: Picks, task: Task, rng: np.random.Generator) -> Picks:
    """Some particles, and some places where there is none."""
    right = particles.positions[rng.choice(len(particles), task.clicks - task.wrong, replace=False)]
    diameter_px = task.protein.diameter_angstrom / task.protein.pixel_size_angstrom
    anywhere = rng.uniform(0, particles.positions.max(axis=0), (10_000, 2))
    away = np.linalg.norm(anywhere[:, None] - particles.positions, axis=-1).min(axis=1)
    return Picks.at(np.concatenate([right, anywhere[away > diameter_px][: task.wrong]]))


def empty_micrographs(folder: Path, protein: Protein, count: int, seed: int) -> list[Path]:
    """Simulated ice without any particle."""
    size = protein.pixel_size_angstrom
    paths, _ = simulate_example(
        folder / "empty", count=count, pixel_size_angstrom=size, empty_fields=1, seed=seed
    )
    return paths


def table(results: Sequence[Result]) -> str:
    """Mean and range over seeds, a task a line, as Markdown."""

    def spread(figure: Callable[[Result], float], rows: Sequence[Result], digits: int = 3) -> str:
        values = [figure(row) for row in rows]
        low, high = min(values), max(values)
        return f"{np.mean(values):.{digits}f} ({low:.{digits}f} - {high:.{digits}f})"

    lines = [
        "| task | F1 of the start | F1 of the final model | gain | AP | seconds |",
        "|---" * 6 + "|",
    ]
    for name in dict.fromkeys(result.task for result in results):
        rows = [result for result in results if result.task == name]
        lines.append(
            f"| {name} ({len(rows)} seeds) | {spread(lambda r: r.start_f1, rows)} "
            f"| {spread(lambda r: r.final_f1, rows)} | {spread(lambda r: r.gain, rows)} "
            f"| {spread(lambda r: r.final_average_precision, rows)} "
            f"| {spread(lambda r: r.seconds, rows, 0)} |"
        )
    return "\n".join([*lines, "", f"Worst gain of all: {min(r.gain for r in results):+.3f}"])


def load(file: Path | None) -> list[Result]:
    if file is None or not file.exists():
        return []
    rows: list[Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return [Result(**row) for row in rows]


def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    results = load(arguments.json)
    for name, task in TASKS.items():
        for seed in range(arguments.seeds):
            done = any((r.task, r.seed) == (name, seed) for r in results)
            if done or arguments.only not in name:
                continue
            with tempfile.TemporaryDirectory() as folder:
                results.append(run(name, task, arguments.data, seed, Path(folder)))
            print(results[-1], flush=True)
            write_json(arguments.json, [asdict(result) for result in results])
    print(table(results))


if __name__ == "__main__":
    main()
