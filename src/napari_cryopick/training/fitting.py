"""Taking a trainer's steps, so that a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import perf_counter

from safetensors.torch import load_file, save

from ..io import atomic_path
from .events import Step
from .trainer import Trainer

SMOOTHING = 0.95
SAVE_EVERY = 100


@dataclass
class Course:
    """How far a run is, over all its trainings."""

    steps: int
    step: int = 0
    _clock: float = field(default_factory=perf_counter)
    _skipped: int = 0
    _smoothed: float = 0.0
    _weight: float = 0.0

    def skip(self, steps: int) -> None:
        """Count steps that were taken earlier, or will not be."""
        self.step += steps
        self._skipped += steps

    def advance(self, loss: float) -> Step:
        """Count one step, and tell of it."""
        self.step += 1
        self._smoothed = SMOOTHING * self._smoothed + (1 - SMOOTHING) * loss
        self._weight = SMOOTHING * self._weight + 1 - SMOOTHING
        pace = (perf_counter() - self._clock) / (self.step - self._skipped)
        left = pace * (self.steps - self.step)
        return Step(self.step, self.steps, {"total": self._smoothed / self._weight}, left)

    def new_loss(self) -> None:
        """Another training begins, whose losses have nothing to do with those before."""
        self._smoothed = self._weight = 0.0


def fit(trainer: Trainer, course: Course, stop: Event, saved: Path | None = None) -> Iterator[Step]:
    """Take all steps of a trainer, or those until the stop.

    Parameters
    ----------
    saved
        Where its state is kept now and then, and taken up again if it is there. It is removed
        by whoever saves the result.
    """
    course.new_loss()
    if saved is not None and saved.exists():
        trainer.restore(load_file(saved))
        course.skip(trainer.taken)
    while trainer.taken < trainer.steps and not (stop.is_set() and trainer.taken):
        yield course.advance(trainer.step())
        due = trainer.taken % SAVE_EVERY == 0 or trainer.taken == trainer.steps
        if saved is not None and (due or stop.is_set()):
            with atomic_path(saved) as part:
                part.write_bytes(save(trainer.state()))
