"""The general model: a picker of any particle, taught on simulated micrographs alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..network.device import choose_device
from ..network.weights import Model, save_weights
from ..ruler import BORDER
from ..simulation.body import Body
from ..training.events import Checkpoint, TrainingEvent
from ..training.examples import Example
from ..training.fitting import Course, fit
from ..training.holdout import HeldOut
from ..training.judging import judge
from ..training.settings import SCRATCH, TrainSettings
from ..training.supervised import model_of, validation
from ..training.trainer import Trainer
from .curriculum import make_lessons
from .lessons import taught

AT_HAND = 256
"""Lessons that patches are drawn from at a time; the oldest gives way to a new one."""

JUDGING = 8
"""Every eighth structure teaches nothing: scores are calibrated on particles never seen."""


class GeneralSettings(BaseModel):
    """Settings of the training of a general model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(12_000, ge=1, description="Optimiser steps.")
    lessons: int = Field(4_000, ge=2, description="Simulated micrographs to learn from.")
    judging: int = Field(200, ge=2, description="Simulated micrographs to be judged by.")
    batch_size: int = Field(8, ge=1, description="Patches per step.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate of AdamW.")
    seed: int = Field(0, ge=0, description="Repeats a training.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")

    def training(self) -> TrainSettings:
        """The same in the words of every training."""
        return TrainSettings(
            diameter_angstrom=1,
            start=SCRATCH,
            complete=True,
            loss="bce",
            doubt=0,
            adoption=0,
            **self.model_dump(include={"batch_size", "learning_rate", "seed", "device"}),
        )


def train_general(
    bodies: Sequence[Body], settings: GeneralSettings, output: Path, stop: Event | None = None
) -> Iterator[TrainingEvent]:
    """Teach a network to pick particles it will never have seen.

    Parameters
    ----------
    bodies
        Particles to simulate besides invented ones.
    output
        The file of the weights.
    stop
        Once set, what has been learnt so far is judged and saved.

    Yields
    ------
    TrainingEvent
        `Step`, and in the end `Validation` and `Checkpoint`.
    """
    stop = stop or Event()
    learning, judging = np.random.SeedSequence(settings.seed).generate_state(2).tolist()
    known = [body for i, body in enumerate(bodies) if i % JUDGING]
    lessons = make_lessons(known, settings.lessons, learning)
    at_hand = [taught(next(lessons)) for _ in range(min(AT_HAND, settings.lessons))]
    device = choose_device(settings.device)
    trainer = Trainer(at_hand, settings.training(), settings.steps, device)
    for step in fit(trainer, Course(settings.steps), stop):
        yield step
        for number in _renewed(trainer.taken, settings):
            at_hand[number % len(at_hand)] = taught(next(lessons))
    tests = [
        _all_judges(test) for test in make_lessons(bodies[::JUDGING], settings.judging, judging)
    ]
    judgement = judge(trainer.averaged, tests, complete=True)
    yield validation(trainer.taken, judgement, settings.training())
    card = model_of(trainer.averaged, judgement, settings.training(), BORDER).card
    save_weights(output, Model(trainer.averaged, card))
    yield Checkpoint(trainer.taken, output)


def _renewed(taken: int, settings: GeneralSettings) -> range:
    """Which lessons give way to new ones after so many steps, so that all are used in the end."""
    spare = max(0, settings.lessons - AT_HAND)
    return range(spare * (taken - 1) // settings.steps, spare * taken // settings.steps)


def _all_judges(lesson: Example) -> Example:
    assert lesson.picks is not None
    everything = HeldOut(np.ones(len(lesson.picks), dtype=bool), (0.0, lesson.shape[0]))
    return replace(lesson, held_out=everything)
