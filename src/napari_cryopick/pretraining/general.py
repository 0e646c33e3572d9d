"""The general model: a picker of any particle, trained on simulated micrographs alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from ..detection.calibration import SIMULATED_OFFSET_SD
from ..model.device import choose_device
from ..model.weights import Model, save_weights
from ..settings import BORDER
from ..simulation.particle_model import ParticleModel
from ..training.events import Step, Validation
from ..training.holdout import EVERYTHING
from ..training.loop import model_of, validation_event
from ..training.trainer import ProgressTracker, Trainer, fit, initial_network
from ..training.validation import predict_examples, validate
from .examples import make_examples, training_image
from .settings import PretrainingSettings

POOL = 256
"""Images in memory that patches are drawn from, 0.7 GB; the oldest gives way to a new one."""

UNSEEN = 8
"""Every eighth structure is only tested on: scores are calibrated on particles never seen."""

KNOWN_FAILURES = (
    "Filaments, membranes and two-dimensional crystals were never simulated.",
    "Picks all particles in sight, those too that people leave out: faint, overlapping, cut off.",
    "Single frames and other very faint exposures: hardly any score reaches the threshold.",
)


def pretrain(
    particle_models: Sequence[ParticleModel],
    settings: PretrainingSettings,
    output: Path,
    stop: Event | None = None,
) -> Iterator[Step | Validation]:
    """Train a network to pick particles that it has never seen.

    Parameters
    ----------
    particle_models
        Particles to simulate besides synthetic ones.
    output
        The file of the weights.
    stop
        Once set, the model so far is validated and saved.

    Yields
    ------
    A step each, and a validation when the model is on disk.
    """
    stop = stop or Event()
    seed, test_seed = np.random.SeedSequence(settings.seed).generate_state(2).tolist()
    unseen = particle_models[::UNSEEN] if len(particle_models) >= UNSEEN else []
    known = [model for model in particle_models if model not in unseen]
    examples = make_examples(known, settings.simulated_micrographs, seed)
    size = min(POOL, settings.simulated_micrographs)
    pool = [training_image(next(examples)) for _ in range(size)]
    training, device = settings.for_trainer(), choose_device(settings.device)
    network = initial_network(training)
    trainer = Trainer(network, pool, training, settings.steps, device, settings.seed)
    for step in fit(trainer, ProgressTracker(settings.steps), stop):
        yield step
        for number in replaced_after(trainer.taken, settings):
            pool[number % len(pool)] = training_image(next(examples))
    simulated = make_examples(unseen, settings.test_micrographs, test_seed, test=True)
    tests = [replace(example, held_out=EVERYTHING) for example in simulated]
    result = validate(predict_examples(trainer.averaged, tests))
    card = model_of(trainer.averaged, result, training, BORDER).card
    calibration = card.calibration.model_copy(update={"offset_sd": SIMULATED_OFFSET_SD})
    described = _describe(output.name.partition(".")[0], len(known), settings)
    described["calibration"] = calibration
    save_weights(
        output,
        Model(trainer.averaged, card.model_copy(update=described)),
    )
    yield validation_event(trainer.taken, result)


def replaced_after(step: int, settings: PretrainingSettings) -> range:
    """Return which images of the pool are new after a step, so that all are used in the end."""
    spare = max(0, settings.simulated_micrographs - POOL)
    return range(spare * (step - 1) // settings.steps, spare * step // settings.steps)


def _describe(name: str, structures: int, settings: PretrainingSettings) -> dict[str, Any]:
    known = f"{structures} structure{'s' * (structures > 1)} and " if structures else ""
    data = f"{settings.simulated_micrographs} simulated micrographs of {known}synthetic particles"
    return {
        "name": name,
        "description": "Picks particles that it has never seen, without a click. "
        "Other models are trained from it.",
        "training_data": (f"{data}; no real ones",),
        "validated_on": f"{settings.test_micrographs} simulated micrographs",
        "known_failures": KNOWN_FAILURES,
        "licence": "BSD-3-Clause",
        "settings": settings.model_dump(mode="json"),
    }
