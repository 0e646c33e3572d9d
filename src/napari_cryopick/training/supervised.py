"""The supervised run: from a person's labels to a model, as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from threading import Event
from time import perf_counter

import torch
from torch import nn

from ..io.files import without_nan
from ..labels import Labels
from ..model.card import ModelCard
from ..model.device import choose_device, describe
from ..model.unet import ARCHITECTURES, PARTICLE_PX, Ensemble, parameters
from ..model.weights import Model
from ..picks import Picks
from ..runs.folder import SUPERVISED, RunFolder
from .events import Checkpoint, Finished, Started, TrainingEvent, Validation
from .examples import Example, fingerprint, labelled_px, load_examples
from .fitting import Course, fit
from .foresight import Foresight, foresee
from .judging import Judgement, judge
from .settings import TrainSettings
from .trainer import Trainer

VALIDATIONS = 3
MOST_JUDGING = 4
"""Micrographs without labels that a threshold is judged by, at the most."""


def train(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: TrainSettings,
    run: Path,
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a model on some picks of some micrographs.

    Parameters
    ----------
    micrographs
        All of them; some of those without labels show what background there is.
    picks
        Particles by micrograph. Deleted ones are surely none.
    run
        A new folder for the run.
    labels
        Painted classes by micrograph.
    stop
        Once set, the best model so far is kept and the run ends in order.

    Yields
    ------
    TrainingEvent
        `Started`, `Step` and, now and then, `Validation` and `Checkpoint`; `Finished` at the end.

    Raises
    ------
    CryopickError
        Before any heavy work, if the input cannot be trained on.
    """
    begun, stop = perf_counter(), stop or Event()
    device = choose_device(settings.device)
    examples = load_examples(micrographs, picks, labels or {}, settings)
    folder = RunFolder.create(run, settings, fingerprint(examples))
    foresight = foresee(examples, settings, device)
    fields = [example.field(settings.complete, foresight.guess(example)) for example in examples]
    trainer = Trainer(fields, settings, settings.steps_over(labelled_px(examples)), device)
    start = _Start(examples, settings, folder, foresight)
    for event in _events(trainer, start, stop, describe(device)):
        folder.log(event)
        yield event
    finished = start.finish(stop.is_set(), perf_counter() - begun)
    folder.log(finished)
    yield finished


def _events(trainer: Trainer, start: _Start, stop: Event, device: str) -> Iterator[TrainingEvent]:
    """Everything between reading and finishing."""
    yield started(start.examples, device, start.settings, trainer.steps)
    if start.settings.complete and not start.settings.from_scratch:
        yield from start.validate(0, trainer.averaged)
    for step in fit(trainer, Course(trainer.steps), stop):
        yield step
        last = trainer.taken == trainer.steps or stop.is_set()
        if last or trainer.taken % -(-trainer.steps // VALIDATIONS) == 0:
            yield from start.validate(step.step, trainer.averaged)
        if last:
            return
    if start.best is None:
        yield from start.validate(trainer.taken, trainer.averaged)


@dataclass
class _Start:
    """What a supervised run has come to so far."""

    examples: Sequence[Example]
    settings: TrainSettings
    folder: RunFolder
    foresight: Foresight
    best: Judgement | None = None

    def validate(self, step: int, network: nn.Module) -> Iterator[TrainingEvent]:
        """Judge a network, and keep it unless it is worse than the best before."""
        judged = self._judged()
        least = self.foresight.expected(judged)
        judgement = judge(network, judged, self.settings.complete, least=least)
        yield validation(step, judgement, self.settings)
        if self.best is None or not judgement.f1 < self.best.f1 - self._uncertainty():
            self.best = judgement
            path = self.folder.save_model(
                SUPERVISED, model_of(network, judgement, self.settings, self.examples[0].border)
            )
            self.folder.accept(SUPERVISED)
            yield Checkpoint(step, path)

    def finish(self, stopped: bool, seconds: float) -> Finished:
        """Save what the best model found, and say how good it is."""
        assert self.best is not None
        metrics = metrics_of(self.best, self.settings) | {"seconds": seconds}
        self.folder.save_metrics(SUPERVISED, metrics)
        self.folder.save_picks(SUPERVISED, self.best.kept, self.examples[0].pixel_size_angstrom)
        model = self.folder.weights(SUPERVISED)
        return Finished(self.folder.path, model, self.best.figures(), stopped, seconds)

    def _judged(self) -> list[Example]:
        others = [e for e in self.examples if e.picks is None]
        return [e for e in self.examples if e.picks is not None] + others[:MOST_JUDGING]

    def _uncertainty(self) -> float:
        """One standard error of a rate over what is held out: less is no reason to go back."""
        return 0.5 / sqrt(max(held_out_count(self.examples), 1))


def started(
    examples: Sequence[Example], device: str, settings: TrainSettings, steps: int
) -> Started:
    """What a run begins with."""
    labelled = [e for e in examples if e.held_out is not None]
    with torch.device("meta"):
        network = ARCHITECTURES[settings.architecture]()
    return Started(
        device,
        parameters(network),
        len(labelled),
        sum(len(e.training_picks) for e in labelled),
        held_out_count(examples),
        steps,
    )


def held_out_count(examples: Sequence[Example]) -> int:
    """Picks that only judge."""
    return sum(int(e.held_out.picks.sum()) for e in examples if e.held_out)


def validation(step: int, judgement: Judgement, settings: TrainSettings) -> Validation:
    """The event that tells a judgement."""
    return Validation(
        step,
        judgement.f1,
        judgement.average_precision,
        judgement.threshold,
        settings.complete,
    )


def model_of(
    network: nn.Module, judgement: Judgement, settings: TrainSettings, border: float
) -> Model:
    """A network with the card that says what it is."""
    card = ModelCard(
        architecture=settings.architecture,
        members=len(network.members) if isinstance(network, Ensemble) else 1,
        particle_px=PARTICLE_PX,
        border=border,
        calibration=judgement.calibration,
        threshold=judgement.threshold,
        settings=settings.model_dump(mode="json"),
        metrics=without_nan(judgement.figures()),
    )
    return Model(network, card)


def metrics_of(judgement: Judgement, settings: TrainSettings) -> dict[str, object]:
    """All figures of a judgement, for metrics.json."""
    return {
        **judgement.figures(),
        "complete": settings.complete,
        "count": judgement.count,
        "micrographs": [str(path) for path in judgement.picks],
        "calibration": judgement.calibration.model_dump(),
        "pixels": judgement.pixels.to_dict() if judgement.pixels else None,
    }
