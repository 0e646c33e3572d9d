"""The general model: a picker of any particle, taught on simulated micrographs alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from ..model.device import choose_device
from ..model.weights import Model, save_weights
from ..settings import BORDER
from ..simulation.particle_model import ParticleModel
from ..training.events import Step, Validation
from ..training.loop import model_of, validation_event
from ..training.trainer import ProgressTracker, Trainer, fit, initial_network
from ..training.validation import predict_examples, validate
from .examples import judging, make_lessons, taught
from .settings import GeneralSettings

AT_HAND = 256
"""Lessons that patches are drawn from at a time; the oldest gives way to a new one."""

JUDGING = 8
"""Every eighth structure teaches nothing: scores are calibrated on particles never seen."""

KNOWN_FAILURES = (
    "Filaments, membranes and two-dimensional crystals were never simulated.",
    "Picks all particles in sight, those too that people leave out: faint, overlapping, cut off.",
    "Single frames and other very faint exposures: hardly any score reaches the threshold.",
)


def train_general(
    bodies: Sequence[ParticleModel],
    settings: GeneralSettings,
    output: Path,
    stop: Event | None = None,
) -> Iterator[Step | Validation]:
    """Teach a network to pick particles it will never have seen.

    Parameters
    ----------
    bodies
        Particles to simulate besides synthetic ones.
    output
        The file of the weights.
    stop
        Once set, what has been learnt so far is judged and saved.

    Yields
    ------
    Step, Validation
        One for each step, and one when the model is on disk.
    """
    stop = stop or Event()
    learning, testing = np.random.SeedSequence(settings.seed).generate_state(2).tolist()
    unseen = bodies[::JUDGING] if len(bodies) >= JUDGING else []
    known = [body for body in bodies if body not in unseen]
    lessons = make_lessons(known, settings.lessons, learning)
    at_hand = [taught(next(lessons)) for _ in range(min(AT_HAND, settings.lessons))]
    device = choose_device(settings.device)
    training = settings.training()
    network = initial_network(training)
    trainer = Trainer(network, at_hand, training, settings.steps, device, settings.seed)
    for step in fit(trainer, ProgressTracker(settings.steps), stop):
        yield step
        for number in _renewed(trainer.taken, settings):
            at_hand[number % len(at_hand)] = taught(next(lessons))
    tests = [judging(test) for test in make_lessons(unseen, settings.judging, testing, usual=True)]
    result = validate(predict_examples(trainer.averaged, tests))
    card = model_of(trainer.averaged, result, training, BORDER).card
    told = describe(output.name.partition(".")[0], len(known), settings)
    save_weights(output, Model(trainer.averaged, card.model_copy(update=told)))
    yield validation_event(trainer.taken, result)


def describe(name: str, structures: int, settings: GeneralSettings) -> dict[str, Any]:
    """What the card tells people."""
    sources = (
        f"synthetic ones and {structures} structures" if structures else "synthetic ones alone"
    )
    return {
        "name": name,
        "description": "Picks particles that it has never seen, without a click. "
        "Other models are trained from it.",
        "training_data": (
            f"{settings.lessons} simulated micrographs, particles: {sources}; no real ones",
        ),
        "validated_on": f"{settings.judging} simulated micrographs",
        "known_failures": KNOWN_FAILURES,
        "licence": "BSD-3-Clause",
        "settings": settings.model_dump(mode="json"),
    }


def _renewed(taken: int, settings: GeneralSettings) -> range:
    """Which lessons give way to new ones after so many steps, so that all are used in the end."""
    spare = max(0, settings.lessons - AT_HAND)
    return range(spare * (taken - 1) // settings.steps, spare * taken // settings.steps)
