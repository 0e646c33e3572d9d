"""How good are picks after so many labels? Train, pick the other micrographs, score.

    python benchmarks/labels_to_picks.py ../shared/data [--seeds 3] [--only NAME] [--json FILE]

For every task and seed another micrograph (or another four) is labelled; the rest is scored at
the threshold that the program itself chooses. Macro F1 over the scored micrographs, pooled average
precision, wall-clock seconds of training, mean and range over seeds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tasks import parse_arguments, score_model, write_json

from napari_cryopick.io import find_micrographs, match_picks, read_picks
from napari_cryopick.picks import Picks
from napari_cryopick.training.events import Finished
from napari_cryopick.training.settings import TrainSettings
from napari_cryopick.training.supervised import train


@dataclass(frozen=True)
class Task:
    """So many clicks (None: all particles) on so many micrographs of a folder."""

    folder: str
    diameter_angstrom: float
    pixel_size_angstrom: float
    micrographs: int
    clicks: int | None


TASKS = {
    "apoferritin, 10 clicks": Task("apoferritin", 126, 1.5, 1, 10),
    "β-galactosidase, 20 clicks": Task("beta_galactosidase", 191, 1.77, 1, 20),
    "β-galactosidase, 4 complete": Task("beta_galactosidase", 191, 1.77, 4, None),
    "apoferritin single frames, 10 clicks": Task("apoferritin_single_frame", 126, 1.5, 1, 10),
}


@dataclass(frozen=True)
class Result:
    """Figures of one seed."""

    seed: int
    f1: float
    precision: float
    recall: float
    average_precision: float
    best_f1: float
    calibration_error: float
    centre_error_angstrom: float
    training_seconds: float


def run(task: Task, data: Path, seed: int) -> Result:
    paths = find_micrographs([data / task.folder / "micrographs"])
    truth = match_picks(read_picks(data / task.folder / "particles.star"), paths)
    rng = np.random.default_rng(seed)
    labelled = [paths[i] for i in rng.permutation(len(paths))[: task.micrographs]]
    clicks = {path: _click(truth[path], task.clicks, rng) for path in labelled}
    sizes = {
        "diameter_angstrom": task.diameter_angstrom,
        "pixel_size_angstrom": task.pixel_size_angstrom,
    }
    settings = TrainSettings(**sizes, complete=task.clicks is None, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        *_, finished = train(paths, clicks, settings, Path(folder) / "run")
        assert isinstance(finished, Finished)
        others = [path for path in paths if path not in labelled]
        scores = score_model(finished.run, others, truth, sizes, task.diameter_angstrom)
    return Result(
        seed,
        scores.macro.f1,
        scores.macro.precision,
        scores.macro.recall,
        scores.average_precision,
        scores.best_f1,
        scores.calibration_error,
        scores.centre_error_angstrom,
        finished.seconds,
    )


def _click(picks: Picks, clicks: int | None, rng: np.random.Generator) -> Picks:
    return picks if clicks is None else picks[rng.choice(len(picks), clicks, replace=False)]


def table(name: str, results: list[Result]) -> Iterator[str]:
    """Mean and range over seeds, a line each."""
    yield f"\n{name} ({len(results)} seeds)"
    for figure in list(asdict(results[0]))[1:]:
        values = [getattr(result, figure) for result in results]
        yield f"  {figure:24}{np.mean(values):8.3f}   {min(values):.3f} - {max(values):.3f}"


def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    collected = {}
    for name, task in TASKS.items():
        if arguments.only not in name:
            continue
        results = [run(task, arguments.data, seed) for seed in range(arguments.seeds)]
        print("\n".join(table(name, results)), flush=True)
        collected[name] = [asdict(result) for result in results]
    write_json(arguments.json, collected)


if __name__ == "__main__":
    main()
