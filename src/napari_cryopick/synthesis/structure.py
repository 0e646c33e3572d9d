"""From a structure to a picker of it: simulated particles teach, micrographs without labels too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from ..simulation.body import Body
from ..simulation.micrograph_settings import MicrographSettings
from ..simulation.micrographs import read_body
from ..training.events import TrainingEvent
from ..training.self_training import self_train
from ..training.simulated import Simulated
from .curriculum import make_lessons
from .lessons import judging, taught
from .settings import StructureSettings


def train_from_structure(
    micrographs: Sequence[Path],
    settings: StructureSettings,
    run: Path,
    stop: Event | None = None,
    resume: bool = False,
) -> Iterator[TrainingEvent]:
    """Train a model on what a structure looks like, then let it teach itself on micrographs.

    Parameters
    ----------
    micrographs
        Of the particle; nobody need have picked anything on them.
    settings
        Among them the structure, and what is known of the microscope.
    run, stop, resume
        As for `self_train`.

    Yields
    ------
    TrainingEvent
        Those of `self_train`.

    Raises
    ------
    CryopickError
        If the structure cannot be read, or anything that `self_train` raises.
    """
    body = read_body(settings.structure, MicrographSettings())
    yield from self_train(
        micrographs,
        {},
        settings,
        run,
        stop=stop,
        resume=resume,
        simulate=lambda: simulate(body, settings),
    )


def simulate(body: Body, settings: StructureSettings) -> Simulated:
    """Micrographs of one particle, of which every fifth judges."""
    lessons = list(
        make_lessons([body], settings.lessons, settings.seed, settings.conditions(), invented=False)
    )
    fields = [taught(lesson) for i, lesson in enumerate(lessons) if i % 5]
    return Simulated(fields, [judging(lesson) for lesson in lessons[::5]])
