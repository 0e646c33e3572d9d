"""Supervised training and self-training: one loop.

Initial model, pseudo-labels from the best model so far, fine-tuning from the initial model,
validation, keep or roll back. A supervised training is the same without rounds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from threading import Event
from time import perf_counter

import torch
from torch import nn

from ..detection.calibration import SIMULATED_OFFSET_SD
from ..io.files import without_nan
from ..model.card import ModelCard, read_card
from ..model.device import describe
from ..model.registry import find_model
from ..model.unet import PARTICLE_PX, Ensemble, parameters
from ..model.weights import Model
from .events import PseudoLabelled, Started, TrainingEvent, Validation
from .examples import Example, has_both_kinds
from .patches import TrainingImage
from .pseudo_labels import pseudo_label
from .settings import SelfTrainSettings, TrainSettings
from .targets import PseudoTarget
from .trainer import ProgressTracker, Trainer, fit, initial_network
from .validation import (
    INCOMPLETE,
    Prediction,
    ValidationResult,
    calibrate_on_classes,
    calibrate_on_clicks,
    calibrated,
    predict_examples,
    validate,
)

CHECKPOINTS = 3
"""Validations within one training, of which the best model is kept."""

CORRECT = "Look at the picks, correct some and train again, starting from this run."
INITIAL = "What the rounds are compared with."
UNTRAINED = "Unchanged, because there are no labels to train on."
ALL_LABELLED = "Every micrograph is labelled; add unlabelled ones to self-train on."
NO_PARTICLES = "The model finds no particles to train on; pick more, or check the diameter."
UNJUDGED = (
    "Not kept by itself, because no held-out labels can judge it. Compare its picks with those of "
    "the initial model, and use it if they are better."
)


@dataclass(frozen=True, eq=False)
class SimulatedData:
    """Simulated micrographs of a structure: images to train on, and examples to calibrate by."""

    images: Sequence[TrainingImage]
    tests: Sequence[Example]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """The outcome of an iteration of kind "supervised" (number 0), "selftrain" or "ensemble"."""

    number: int
    kind: str
    network: nn.Module
    result: ValidationResult
    accepted: bool
    reason: str
    pseudo_labels: PseudoLabelled | None
    stopped: bool
    seconds: float


@dataclass(frozen=True, eq=False)
class EarlierModel:
    """An iteration that an earlier session of a run has finished."""

    network: nn.Module
    accepted: bool


class TrainingLoop:
    """A training under way, until it is done or the stop token is set.

    Parameters
    ----------
    simulated
        What the initial model is trained on in place of labels.
    earlier
        Iterations that are not repeated, from the initial model on.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        settings: TrainSettings,
        device: torch.device,
        stop: Event,
        simulated: SimulatedData | None = None,
        earlier: Sequence[EarlierModel] = (),
    ) -> None:
        self.examples, self.settings, self.device, self.stop = examples, settings, device, stop
        self.simulated, self.earlier = simulated, earlier
        self.rounds = settings.rounds if isinstance(settings, SelfTrainSettings) else 0
        steps = [self._steps(number) for number in range(self.rounds + 1)]
        self.progress = ProgressTracker(sum(steps))
        self.accepted: list[nn.Module] = []
        self.best: ValidationResult | None = None
        self.last_accepted, self.problem, self.note = True, "", ""
        self._predictions: Sequence[Prediction] = ()
        self._calibration = INCOMPLETE
        self._expected: float | None = None

    def events(self) -> Iterator[TrainingEvent | TrainedModel]:
        """Run all iterations."""
        network = initial_network(self.settings).to(self.device)
        yield self._started(network)
        pseudo = self._look(network)
        if self.earlier:
            self._take_up()
        else:
            yield from self._initial(network, pseudo)
        for number in range(max(1, len(self.earlier)), self.rounds + 1):
            if self.stop.is_set() or self.problem or not self.last_accepted:
                break
            yield from self._round(number)
        joins = isinstance(self.settings, SelfTrainSettings) and self.settings.ensemble
        if joins and len(self.accepted) > 1 and not self.stop.is_set():
            yield from self._join()

    @property
    def advice(self) -> str:
        """What the picks have changed, and what to do next."""
        return f"{self.note} {self._next_step}".strip()

    @property
    def _next_step(self) -> str:
        s = self.settings
        if self.stop.is_set():
            return "The run was stopped; resume it to go on."
        if self.problem:
            return self.problem
        if not isinstance(s, SelfTrainSettings) or not s.rounds:
            return CORRECT
        if s.keep_every_round:
            return "Every round was kept; compare the iterations and use the best one."
        if not self._validates:
            return (
                "No held-out labels can judge the round. Compare its picks with those of the "
                "initial model; completely picked micrographs would let the run decide."
            )
        if len(self.accepted) == 1:
            return "Self-training did not improve the initial model; correct picks, train again."
        if not self.last_accepted:
            return "More rounds gain nothing; correct some picks and train again."
        return "The last round was better; more rounds may still help."

    @property
    def _validates(self) -> bool:
        """Whether complete labels are held out."""
        return self.settings.complete and any(e.held_out_rows.any() for e in self.examples)

    @property
    def _labelled(self) -> bool:
        return self.simulated is not None or any(e.picks is not None for e in self.examples)

    def _steps(self, number: int) -> int:
        s = self.settings
        pixels = sum(e.image.numel() for e in self.examples if e.picks is not None)
        if number and isinstance(s, SelfTrainSettings):
            return s.round_steps_over(pixels)
        return s.steps_over(pixels) if self._labelled else 0

    def _started(self, network: nn.Module) -> Started:
        labelled = [e for e in self.examples if e.picks is not None]
        return Started(
            describe(self.device),
            parameters(network),
            len(labelled),
            sum(len(e.training_picks) for e in labelled),
            sum(int(e.is_held_out(e.particles.positions).sum()) for e in labelled),
            self.progress.steps,
        )

    # what the initial model starts with

    def _look(self, network: nn.Module) -> dict[Path, PseudoTarget]:
        """Return pseudo-labels of the model that training starts from.

        Without them a few picks would make it forget the particles that nobody has picked. From
        scratch and with complete labels there are none.
        """
        s = self.settings
        if s.from_scratch or s.complete:
            return {}
        self._predictions = predict_examples(network.eval(), self.examples)
        card = read_card(find_model(s.initial_model))
        result = calibrated(self._predictions, card.calibration)
        if not self._labelled:
            self._calibration = card.calibration
        elif not self.simulated:
            result = self._calibrate_on_labels(card, result)
        return pseudo_label(self._predictions, result)[0]

    def _calibrate_on_labels(self, card: ModelCard, result: ValidationResult) -> ValidationResult:
        """Return what the initial model finds, with scores that agree with clicks or classes."""
        before, n = result.particles, len(self.examples)
        classes = has_both_kinds(self.examples)
        if classes or any(len(e.particles_by_hand) for e in self.examples):
            calibrate = calibrate_on_classes if classes else calibrate_on_clicks
            result = calibrated(self._predictions, calibrate(self._predictions, card))
            self.note = (
                f"From the {'classes' if classes else 'picks'}, about {result.particles / n:.0f} "
                "particles per micrograph are expected (by the initial model alone "
                f"{before / n:.0f}); the threshold follows."
            )
        self._expected, sd = result.particles, result.calibration.offset_sd
        self._calibration = INCOMPLETE.model_copy(update={"offset_sd": sd})
        return result

    def _initial(
        self, network: nn.Module, pseudo: Mapping[Path, PseudoTarget]
    ) -> Iterator[TrainingEvent | TrainedModel]:
        begun = perf_counter()
        if self._labelled:
            images = self.simulated.images if self.simulated else self._images(pseudo)
            network = yield from self._fit(network, images, 0)
            if self.simulated:
                tests = predict_examples(network, self.simulated.tests)
                fitted = validate(tests).calibration
                self._calibration = fitted.model_copy(update={"offset_sd": SIMULATED_OFFSET_SD})
        yield from self._finish(0, "supervised", network, None, begun)

    def _take_up(self) -> None:
        """Go on from the best of the earlier iterations."""
        self.progress.skip(sum(map(self._steps, range(len(self.earlier)))))
        self.accepted = [model.network.to(self.device) for model in self.earlier if model.accepted]
        self.last_accepted = self.earlier[-1].accepted
        self._predictions, self.best = self._assess(self.accepted[-1])

    # rounds

    def _round(self, number: int) -> Iterator[TrainingEvent | TrainedModel]:
        """Pseudo-label with the best model, train from the initial one, validate."""
        assert self.best is not None
        assert isinstance(self.settings, SelfTrainSettings)
        begun = perf_counter()
        if not self._labelled:
            self._expected = self.best.particles
        targets, thresholds = pseudo_label(self._predictions, self.best, self.settings, number)
        counts = [len(target.positions) for target in targets.values()]
        if not sum(counts):
            self.problem = NO_PARTICLES if targets else ALL_LABELLED
            return
        micrographs, t = sum(map(bool, counts)), thresholds
        labelled = PseudoLabelled(
            number, sum(counts), micrographs, t.particle, t.background, t.reason
        )
        yield labelled
        start = deepcopy(self.accepted[0])
        network = yield from self._fit(start, self._images(targets), number)
        if not self.stop.is_set():
            yield from self._finish(number, "selftrain", network, labelled, begun)

    def _join(self) -> Iterator[TrainingEvent | TrainedModel]:
        """Validate the mean of all models that were kept, as one more iteration."""
        last_accepted = self.last_accepted
        network = Ensemble(self.accepted).eval()
        yield from self._finish(self.rounds + 1, "ensemble", network, None, perf_counter())
        self.last_accepted = last_accepted

    def _images(self, pseudo: Mapping[Path, PseudoTarget]) -> list[TrainingImage]:
        complete = self.settings.complete
        return [e.training_image(complete, pseudo.get(e.path)) for e in self.examples]

    def _fit(
        self, network: nn.Module, images: Sequence[TrainingImage], number: int
    ) -> Generator[TrainingEvent, None, nn.Module]:
        """Train a network; where labels are held out, the best of several checkpoints is kept."""
        steps = self._steps(number)
        seed = self.settings.seed + number
        trainer = Trainer(network, images, self.settings, steps, self.device, seed)
        best, best_f1 = trainer.averaged, -1.0
        if self._validates and not self.settings.from_scratch:
            best, best_f1 = deepcopy(trainer.averaged), self._held_out_result(trainer.averaged).f1
        for step in fit(trainer, self.progress, self.stop):
            yield step
            due = trainer.taken % -(-steps // CHECKPOINTS) == 0 or trainer.taken == steps
            if self._validates and (due or self.stop.is_set()):
                result = self._held_out_result(trainer.averaged)
                yield validation_event(step.step, result)
                if result.f1 >= best_f1 - 0.5 / sqrt(max(result.held_out, 1)):
                    best, best_f1 = deepcopy(trainer.averaged), result.f1
        return best.eval() if self._validates else trainer.averaged

    # validation

    def _held_out_result(self, network: nn.Module) -> ValidationResult:
        network.eval()
        held_out = [e for e in self.examples if e.held_out_rows.any()]
        return validate(predict_examples(network, held_out))

    def _assess(self, network: nn.Module) -> tuple[list[Prediction], ValidationResult]:
        """Predict all examples; score them on held-out labels if there are any."""
        found = predict_examples(network, self.examples)
        if self._validates:
            return found, validate(found)
        return found, calibrated(found, self._calibration, self._expected)

    def _finish(
        self,
        number: int,
        kind: str,
        network: nn.Module,
        labelled: PseudoLabelled | None,
        begun: float,
    ) -> Iterator[TrainingEvent | TrainedModel]:
        """Validate a trained network, and keep it if it is better."""
        found, result = self._assess(network)
        accepted, reason = self._decide(result)
        yield validation_event(self.progress.step, result)
        self.last_accepted = accepted
        if accepted:
            self.best, self._predictions = result, found
            self.accepted.append(network)
        stopped, seconds = self.stop.is_set(), perf_counter() - begun
        yield TrainedModel(
            number, kind, network, result, accepted, reason, labelled, stopped, seconds
        )

    def _decide(self, result: ValidationResult) -> tuple[bool, str]:
        """Return whether a model is the best so far, and why.

        One particle more or less among those held out is a tie, and the older model stays.
        """
        if self.best is None:
            return True, INITIAL if self._labelled else UNTRAINED
        if isinstance(self.settings, SelfTrainSettings) and self.settings.keep_every_round:
            return True, "Kept without comparison, like every round of this run."
        if not self._validates:
            return False, UNJUDGED
        before, after = self.best.f1, result.f1
        better = after > before + 1 / max(result.held_out, 1)
        verdict = "Kept, better" if better else "Rolled back, not better"
        return better, f"{verdict} on held-out labels: F1 {before:.3f} to {after:.3f}."


def model_of(
    network: nn.Module, result: ValidationResult, settings: TrainSettings, border: float
) -> Model:
    """Return a trained network with its card."""
    card = ModelCard(
        architecture=settings.architecture,
        members=len(network.members) if isinstance(network, Ensemble) else 1,
        particle_px=PARTICLE_PX,
        border=border,
        calibration=result.calibration,
        threshold=result.threshold,
        settings=settings.model_dump(mode="json"),
        metrics=without_nan(result.figures),
    )
    return Model(network, card)


def validation_event(step: int, result: ValidationResult) -> Validation:
    """Return the event of a validation."""
    r, expected = result, result.expected
    return Validation(
        step, r.f1, r.average_precision, r.threshold, expected.precision, expected.recall
    )
