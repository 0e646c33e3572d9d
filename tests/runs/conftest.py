"""Small simulated projects, and runs on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from napari_cryopick import runs
from napari_cryopick.io import PickSet, write_picks
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.simulate import simulate_example
from napari_cryopick.training.events import TrainingEvent
from napari_cryopick.training.settings import SelfTrainSettings, TrainSettings

SMALL: dict[str, Any] = {
    "diameter_angstrom": 160,
    "batch_size": 2,
    "patch_px": 32,
    "device": "cpu",
}
"""Settings of trainings that are to run, not to learn anything."""


@pytest.fixture
def quick() -> TrainSettings:
    """Enough to see that everything runs."""
    return TrainSettings(**SMALL, steps=4)


@pytest.fixture
def two_rounds() -> SelfTrainSettings:
    """Two rounds that are kept whatever they are worth."""
    return SelfTrainSettings(**SMALL, steps=4, round_steps=3, rounds=2, keep_every_round=True)


Begin = Callable[..., Iterator[TrainingEvent]]


@pytest.fixture
def begin(project, two_rounds) -> Begin:
    """Begin such a run on six clicks, or with other picks or settings, or resume it."""

    def begin(run: Path, picks: dict[Path, Picks] | None = None, **how: Any) -> Any:
        changed = {
            name: how.pop(name) for name in list(how) if name in type(two_rounds).model_fields
        }
        settings = two_rounds.model_copy(update=changed)
        clicks = project.clicks() if picks is None else picks
        return runs.train(project.micrographs, clicks, settings, run, **how)

    return begin


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums of several threads may differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


STARTED = {"training_picks": 10, "labelled_micrographs": 1, "held_out_picks": 3, "device": "cpu"}


@pytest.fixture(scope="session")
def micrographs(tmp_path_factory) -> list[Path]:
    """Two small micrographs."""
    how = {"shape": (192, 256), "pixel_size_angstrom": 4, "ice_balls": 0}
    return simulate_example(tmp_path_factory.mktemp("small"), count=2, particles=8, **how)[0]


class Run:
    """A run of self-training on disk."""

    def __init__(self, path: Path, micrographs: list[Path]) -> None:
        self.path, self.micrographs = path, micrographs
        path.mkdir()
        settings = {"diameter_angstrom": 160.0, "pixel_size_angstrom": None, "rounds": 2}
        (path / "settings.yaml").write_text(yaml.safe_dump(settings))
        self.log("Started", **STARTED)

    def log(self, event: str, **fields: Any) -> None:
        with (self.path / "events.jsonl").open("a") as file:
            file.write(json.dumps({"event": event} | fields) + "\n")

    def add(self, number: int, accepted: bool = True, picks: int = 4, **metrics: Any) -> Path:
        """Write one more iteration; an accepted one becomes the best."""
        name = f"iteration_{number}_{'selftrain' if number else 'supervised'}"
        return self.add_named(name, number, accepted, picks, **metrics)

    def add_named(
        self, name: str, number: int, accepted: bool = True, picks: int = 4, **metrics: Any
    ) -> Path:
        folder = self.path / name
        folder.mkdir()
        known = {"number": number, "name": name, "accepted": accepted, "reason": "Because."}
        known |= {"count": picks * len(self.micrographs), "f1": None, "average_precision": None}
        (folder / "metrics.json").write_text(json.dumps(known | metrics))
        positions = np.linspace((40, 40), (150, 200), 7)[:picks]
        table = Picks.at(positions, np.linspace(0.5, 0.9, picks), "model")
        by_name = {str(path): table for path in self.micrographs}
        write_picks(folder / "picks.star", PickSet(by_name, 4.0))
        for step in range(10 * number + 1, 10 * number + 11):
            self.log("Step", step=step, losses={"total": 1 / step})
        self.log("Iteration", number=number, name=name)
        if accepted:
            (self.path / "best").unlink(missing_ok=True)
            (self.path / "best").symlink_to(name)
        return folder

    def end(self, stopped: bool = False, advice: str = "Correct some picks.") -> None:
        self.log("Finished", stopped=stopped, advice=advice)


@pytest.fixture
def begin_run(tmp_path, micrographs) -> Callable[..., Run]:
    """Begin a run in a folder of this name."""
    return lambda name="run": Run(tmp_path / name, micrographs)


@pytest.fixture
def run(begin_run) -> Run:
    return begin_run()
