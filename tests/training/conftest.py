"""A few small simulated micrographs, all their particles, and settings for a short training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

from napari_cryopick.detection.events import Maps
from napari_cryopick.imaging.prepare import Rescaling
from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.labels import Labels
from napari_cryopick.model.unet import AREA_RADIUS, PARTICLE_PX
from napari_cryopick.picks import Picks, Source, Status
from napari_cryopick.simulation.simulate import simulate_example
from napari_cryopick.simulation.synthetic import example_particle
from napari_cryopick.training.events import TrainingEvent
from napari_cryopick.training.examples import Example
from napari_cryopick.training.holdout import nothing_held_out
from napari_cryopick.training.pseudo_labels import View
from napari_cryopick.training.self_training import self_train
from napari_cryopick.training.settings import SelfTrainSettings, TrainSettings
from napari_cryopick.training.targets import distances


@dataclass(frozen=True)
class Project:
    """Micrographs and every particle in them."""

    micrographs: list[Path]
    particles: dict[Path, Picks]

    def annotated(self, count: int) -> dict[Path, Picks]:
        """Every particle of the first few micrographs."""
        return {path: self.particles[path] for path in self.micrographs[:count]}

    def clicks(self, count: int = 6) -> dict[Path, Picks]:
        """A few particles of the first micrograph."""
        path = self.micrographs[0]
        return {path: self.particles[path][np.arange(count)]}


def simulated(folder: Path, **settings: object) -> Project:
    """Clean micrographs of particles that stand out."""
    usual = {"pixel_size_angstrom": 4, "fragments": 0, "ice_balls": 0, "aggregates": 0}
    micrographs, star = simulate_example(folder, example_particle().scaled(2), **usual | settings)
    return Project(micrographs, match_picks(read_picks(star), micrographs))


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    return simulated(tmp_path_factory.mktemp("project"), count=4, shape=(320, 384), particles=16)


@pytest.fixture(scope="session")
def small_steps() -> dict[str, Any]:
    """Settings of trainings that are to run, not to learn anything."""
    return {"diameter_angstrom": 160, "batch_size": 2, "patch_px": 32, "device": "cpu"}


@pytest.fixture
def quick(small_steps) -> TrainSettings:
    """Enough to see that everything runs."""
    return TrainSettings(**small_steps, steps=4)


@pytest.fixture(scope="session")
def small_project(tmp_path_factory) -> Project:
    """Two micrographs of a dozen particles, for runs that are not to learn anything."""
    return simulated(tmp_path_factory.mktemp("small"), count=2, shape=(192, 224), particles=14)


@pytest.fixture(scope="session")
def two_rounds(small_steps) -> SelfTrainSettings:
    """Two rounds of self-training that are kept whatever they are worth."""
    return SelfTrainSettings(
        **small_steps, steps=4, round_steps=3, rounds=2, always_accept=True, expected_count=8
    )


@pytest.fixture(scope="session")
def begin(small_project, two_rounds) -> Callable[..., Iterator[TrainingEvent]]:
    """Begin such a run on six clicks, or with other picks, labels or settings, or go on with it."""

    def begin(
        run: Path,
        picks: dict[Path, Picks] | None = None,
        labels: dict[Path, Labels] | None = None,
        stop: Event | None = None,
        resume: bool = False,
        **changed: object,
    ) -> Iterator[TrainingEvent]:
        settings = two_rounds.model_copy(update=changed)
        clicks = picks or small_project.clicks()
        return self_train(small_project.micrographs, clicks, settings, run, labels, stop, resume)

    return begin


@pytest.fixture(scope="session")
def self_trained(begin, tmp_path_factory) -> list[TrainingEvent]:
    """The events of such a run."""
    with one_thread():
        return list(begin(tmp_path_factory.mktemp("runs") / "run"))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums of several threads may differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def exactly() -> Iterator[None]:
    """What is computed can be compared with another run to the last bit."""
    with one_thread():
        yield


MAP_SHAPE = (160, 192)
SCALE = Rescaling(0.5)


def _see(
    positions=(),
    scores: object = 1.0,
    status: object = Status.OK,
    *,
    picks: Picks | None = None,
    labels: Labels | None = None,
    contamination: float = 0.0,
    path: str = "a.mrc",
) -> View:
    shape = (2 * MAP_SHAPE[0], 2 * MAP_SHAPE[1])
    at = np.asarray(positions, dtype=float).reshape(-1, 2)
    near = distances(MAP_SHAPE, at).numpy()
    maps = Maps(
        (near < AREA_RADIUS * PARTICLE_PX).astype(np.float32),
        np.exp(-0.1 * near**2).astype(np.float32),
        np.full(MAP_SHAPE, contamination, np.float32),
        SCALE.factor,
    )
    held_out = None if picks is None else nothing_held_out(picks)
    image = torch.zeros(MAP_SHAPE)
    example = Example(Path(path), shape, 4.0, image, SCALE, picks, labels, held_out)
    peaks = Picks.at(SCALE.to_micrograph(at), scores, Source.MODEL, status)
    return View(example, maps, peaks)


@pytest.fixture(scope="session")
def see() -> Callable[..., View]:
    """What a teacher sees: peaks at (n, 2) positions in network pixels, each with an area.

    A micrograph has 320 x 384 pixels, 160 x 192 of the network's.
    """
    return _see
