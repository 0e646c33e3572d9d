"""From a structure to a picker of it: simulated particles teach, micrographs without labels too."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Event
from time import perf_counter

from ..errors import CryopickError
from ..simulation.particle_model import ParticleModel
from ..simulation.structures import read_structure
from ..training.events import Simulating, TrainingEvent
from ..training.examples import Example
from ..training.self_training import self_train
from ..training.simulated import Simulated
from .examples import judging, make_lessons, taught
from .settings import StructureSettings


def train_from_structure(
    micrographs: Sequence[Path],
    settings: StructureSettings,
    run: Path,
    stop: Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a model on what a structure looks like, then let it teach itself on micrographs.

    Parameters
    ----------
    micrographs
        Of the particle; nobody need have picked anything on them.
    settings
        Among them the structure, and what is known of the microscope.
    run, stop
        As for `self_train`.

    Yields
    ------
    TrainingEvent
        Those of `self_train`.

    Raises
    ------
    CryopickError
        If the structure cannot be read, if the simulation is stopped, or anything that
        `self_train` raises.
    """
    body = read_structure(settings.structure)
    yield from self_train(
        micrographs,
        {},
        settings,
        run,
        stop=stop,
        simulate=lambda: simulate(body, settings, stop or Event()),
    )


def diameter_of(structure: Path) -> float:
    """How large the particle of an atomic model or a map is, in whole Å."""
    return float(round(read_structure(structure).diameter_angstrom))


def simulate(
    body: ParticleModel, settings: StructureSettings, stop: Event
) -> Generator[Simulating, None, Simulated]:
    """Micrographs of one particle; the last fifth, no harder than what people pick, judges."""
    conditions, begun = settings.conditions(), perf_counter()
    learning = settings.lessons * 4 // 5

    def lessons_of(count: int, usual: bool) -> Iterator[Example]:
        seed = settings.seed + usual
        return make_lessons([body], count, seed, conditions, synthetic=False, usual=usual)

    made = chain(lessons_of(learning, False), lessons_of(settings.lessons - learning, True))
    lessons = []
    for lesson in made:
        lessons.append(lesson)
        left = (perf_counter() - begun) / len(lessons) * (settings.lessons - len(lessons))
        yield Simulating(len(lessons), settings.lessons, left)
        if stop.is_set():
            raise CryopickError("Stopped while simulating, before there was a model to keep.")
    fields = [taught(lesson) for lesson in lessons[:learning]]
    return Simulated(fields, [judging(lesson) for lesson in lessons[learning:]])
