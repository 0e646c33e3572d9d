"""The supervised run: from a person's labels to a model, as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from threading import Event
from time import perf_counter

from torch import nn

from ..labels import Labels
from ..network.architectures import PARTICLE_PX, parameters
from ..network.card import ModelCard
from ..network.device import choose_device, describe
from ..network.weights import Model
from ..picks import Picks
from ..plain import without_nan
from .events import Checkpoint, Finished, Started, Step, TrainingEvent, Validation
from .examples import Example, load_examples
from .judging import Judgement, judge
from .runs import RunFolder
from .settings import TrainSettings
from .trainer import Trainer

ITERATION = "iteration_0_supervised"
VALIDATIONS = 3
SMOOTHING = 0.95


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
    begun = perf_counter()
    device = choose_device(settings.device)
    examples = load_examples(micrographs, picks, labels or {}, settings)
    folder = RunFolder.create(run, settings)
    trainer = Trainer([e.field(settings.complete) for e in examples], settings, device)
    course = _Course(examples, settings, folder)
    for event in _events(trainer, course, stop or Event(), describe(device)):
        folder.log(event)
        yield event
    finished = course.finish(stop is not None and stop.is_set(), perf_counter() - begun)
    folder.log(finished)
    yield finished


def _events(trainer: Trainer, course: _Course, stop: Event, device: str) -> Iterator[TrainingEvent]:
    """Everything between reading and finishing."""
    steps = course.settings.total_steps
    yield course.started(device, parameters(trainer.network))
    begun, smoothed = perf_counter(), 0.0
    for step in range(1, steps + 1):
        smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * trainer.step()
        loss = smoothed / (1 - SMOOTHING**step)
        yield Step(step, steps, {"total": loss}, (perf_counter() - begun) / step * (steps - step))
        last = step == steps or stop.is_set()
        if last or step % -(-steps // VALIDATIONS) == 0:
            yield from course.validate(step, trainer.averaged)
        if last:
            return


@dataclass
class _Course:
    """What a run has come to so far."""

    examples: Sequence[Example]
    settings: TrainSettings
    folder: RunFolder
    best: Judgement | None = None

    def started(self, device: str, parameter_count: int) -> Started:
        labelled = [e for e in self.examples if e.held_out is not None]
        return Started(
            device,
            parameter_count,
            len(labelled),
            sum(len(e.training_picks) for e in labelled),
            self._held_out,
            self.settings.total_steps,
        )

    def validate(self, step: int, network: nn.Module) -> Iterator[TrainingEvent]:
        """Judge a network, and keep it unless it is worse than the best before."""
        judgement = judge(network, self.examples, self.settings.complete)
        yield Validation(
            step,
            judgement.f1,
            judgement.average_precision,
            judgement.threshold,
            self.settings.complete,
        )
        if self.best is None or not judgement.f1 < self.best.f1 - self._uncertainty():
            self.best = judgement
            path = self.folder.save_model(ITERATION, Model(network, self._card(judgement)))
            self.folder.accept(ITERATION)
            yield Checkpoint(step, path)

    def finish(self, stopped: bool, seconds: float) -> Finished:
        """Save what the best model found, and say how good it is."""
        assert self.best is not None
        metrics = _metrics(self.best)
        self.folder.save_metrics(ITERATION, metrics | {"complete": self.settings.complete})
        kept = {p: t[t.scores >= self.best.threshold] for p, t in self.best.picks.items()}
        self.folder.save_picks(ITERATION, kept, self.examples[0].pixel_size_angstrom)
        model = self.folder.weights(ITERATION)
        return Finished(self.folder.path, model, metrics, stopped, seconds)

    def _card(self, judgement: Judgement) -> ModelCard:
        return ModelCard(
            architecture=self.settings.architecture,
            particle_px=PARTICLE_PX,
            calibration=judgement.calibration,
            threshold=judgement.threshold,
            settings=self.settings.model_dump(mode="json"),
            metrics=without_nan(_metrics(judgement)),
        )

    def _uncertainty(self) -> float:
        """One standard error of a rate over what is held out: less is no reason to go back."""
        return 0.5 / sqrt(max(self._held_out, 1))

    @property
    def _held_out(self) -> int:
        return sum(int(e.held_out.picks.sum()) for e in self.examples if e.held_out)


def _metrics(judgement: Judgement) -> dict[str, float]:
    return {
        "f1": judgement.f1,
        "precision": judgement.precision,
        "recall": judgement.recall,
        "average_precision": judgement.average_precision,
        "threshold": judgement.threshold,
    }
