"""Self-training: models label what people have not, and their successors learn from it.

Each round starts from fresh weights, learns from a person's labels and from what the best model so
far is sure of, and is kept only if human labels that took no part say that it is better.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import nan
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from ..labels import Labels
from ..network.device import choose_device, describe
from ..network.ensemble import Ensemble
from ..network.weights import load_weights
from ..picks import Picks
from .calibration import TAUGHT
from .events import Checkpoint, Finished, Iteration, PseudoLabelled, Step, TrainingEvent
from .evidence import FEWEST_CLICKS, fold, gather
from .examples import Example, fingerprint, labelled_px, load_examples
from .fitting import Course, fit
from .gate import Standing, Verdict, collapsed, compare
from .judging import Judgement, judge
from .pseudo_labels import Thresholds, View, choose_thresholds, guess, look
from .runs import RunFolder, iteration_name
from .settings import SelfTrainSettings
from .supervised import held_out_count, metrics_of, model_of, started, validation
from .targets import Guess
from .trainer import Trainer

MOST_UNLABELLED = 32
"""Micrographs without labels that take part, at the most."""

FIRST = Verdict(True, "The supervised start.")
FORCED = Verdict(True, "Kept unseen, as every round of this run is to be.")


@dataclass(frozen=True, eq=False)
class Line:
    """A model and its successors, and what teaches them.

    The first line of a run is the model's own. Each of the others is a juror's: it learns from a
    part of the clicks only, so that the rest can judge it.
    """

    file: str
    examples: Sequence[Example]

    def steps(self, number: int, settings: SelfTrainSettings) -> int:
        """How many an iteration takes."""
        over = settings.round_steps_over if number else settings.steps_over
        return over(labelled_px(self.examples))

    def weights(self, folder: RunFolder, iteration: str) -> Path:
        return folder.path / iteration / self.file

    def part(self, folder: RunFolder, iteration: str) -> Path:
        """Where the state of its training is kept until the iteration is done."""
        return folder.path / iteration / f".part_{self.file}"


def self_train(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: SelfTrainSettings,
    run: Path,
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
    resume: bool = False,
) -> Iterator[TrainingEvent]:
    """Train a model on some picks, then let it teach its successors on all micrographs.

    Parameters
    ----------
    micrographs, picks, labels
        As for `train`.
    run
        A new folder for the run, or that of a run to go on with.
    stop
        Once set, the best model so far is kept and the run ends in order.
    resume
        Go on where a run was killed or stopped, or add rounds to one that was finished.

    Yields
    ------
    TrainingEvent
        `Started`; for each iteration `PseudoLabelled` (from the first round on), `Step`,
        `Validation`, `Checkpoint` if it is kept, and `Iteration`; `Finished` at the end.

    Raises
    ------
    CryopickError
        Before any heavy work, if the input cannot be trained on or the run cannot go on.
    """
    begun, stop = perf_counter(), stop or Event()
    device = choose_device(settings.device)
    examples = load_examples(micrographs, picks, labels or {}, settings, MOST_UNLABELLED)
    open_folder = RunFolder.resume if resume else RunFolder.create
    folder = open_folder(run, settings, fingerprint(examples))
    training = SelfTraining(lines_of(examples, settings), settings, folder, device, stop)
    for event in training.events():
        folder.log(event)
        yield event
    finished = training.finish(perf_counter() - begun)
    folder.log(finished)
    _report(folder.path)
    yield finished


def _report(run: Path) -> None:
    """Tell the run on a page; whatever goes wrong there, the run itself is safe on disk."""
    with suppress(Exception):
        from ..evaluation.report import write_report  # matplotlib, only now

        write_report(run)


def lines_of(examples: Sequence[Example], settings: SelfTrainSettings) -> list[Line]:
    """The model's line, and those of jurors where only clicks can judge."""
    if settings.complete:
        return [Line("model.safetensors", examples)]
    jurors = fold(examples, np.random.default_rng(settings.seed))
    return [Line("model.safetensors", [e.all_teaching() for e in examples])] + [
        Line(f"juror_{i}.safetensors", part) for i, part in enumerate(jurors, 1)
    ]


class SelfTraining:
    """A run under way: its lines, how far it is, and the best so far."""

    def __init__(
        self,
        lines: Sequence[Line],
        settings: SelfTrainSettings,
        folder: RunFolder,
        device: torch.device,
        stop: Event,
    ) -> None:
        self.lines, self.settings, self.folder = lines, settings, folder
        self.device, self.stop = device, stop
        self.before = folder.done()
        iterations = max(settings.rounds + 1, len(self.before))
        self.course = Course(sum(map(self._steps, range(iterations))))
        self.accepted: list[str] = []
        self.standing: Standing | None = None
        self.expected = 0.0  # a successor may not expect less: clicks would not notice the loss
        self.in_vain, self.continued = False, folder.finished
        self.advice = ""

    def events(self) -> Iterator[TrainingEvent]:
        """Everything between reading and finishing."""
        examples, device = self.lines[0].examples, describe(self.device)
        yield started(examples, device, self.settings, self.course.steps)
        yield from self._take_up()
        for number in range(len(self.before), self.settings.rounds + 1):
            if number and (self.stop.is_set() or self._done()):
                break
            yield from self._iterate(number)
        if self.settings.ensemble and len(self.accepted) > 1 and not self.stop.is_set():
            yield from self._join(self.settings.rounds + 1)

    def finish(self, seconds: float) -> Finished:
        """Say how good the best model is, and what to do next."""
        assert self.standing is not None
        return Finished(
            self.folder.path,
            self.lines[0].weights(self.folder, self.accepted[-1]),
            self.standing.judgement.figures(),
            self.stop.is_set(),
            seconds,
            self.advice or self._advise(),
        )

    def _advise(self) -> str:
        if self.stop.is_set():
            return "The run was stopped; resume it to go on."
        if not self.settings.rounds:
            return "Rounds of self-training may get more out of the same micrographs."
        if self.settings.always_accept:
            return "Every round was kept unseen; the report tells which one is the best."
        if len(self.accepted) == 1:
            return "Self-training gained nothing; correct some of the start's picks, train again."
        if self.in_vain:
            return "More rounds gain nothing; correct some picks and train again."
        return "The last round still gained something; go on with more rounds."

    def _done(self) -> bool:
        """Whether another round makes no sense."""
        if self.settings.complete and all(e.picks is not None for e in self.lines[0].examples):
            self.advice = (
                "There are no micrographs without labels to learn from; add some, or train alone."
            )
        elif not (self.settings.complete or len(self.lines) > 1 or self.settings.always_accept):
            self.advice = (
                f"With fewer than {FEWEST_CLICKS} clicks nothing can judge a round of "
                "self-training; click some more and run again."
            )
        return bool(self.advice) or self.in_vain

    # one iteration

    def _iterate(self, number: int) -> Iterator[TrainingEvent]:
        """Train all lines from fresh weights, judge them, and put the outcome on disk."""
        begun = perf_counter()
        guesses: list[Sequence[Guess | None]] = [[None] * len(e.examples) for e in self.lines]
        lesson = None
        if number:
            views = self._look_back(self.lines[0], averaging=True)
            self.advice = self._complaint(views)
            if self.advice:
                self.in_vain = True
                return
            lesson, guesses[0] = self._teach(number, views)
            yield lesson
            for i, juror in enumerate(self.lines[1:], 1):
                _, guesses[i] = self._teach(number, self._look_back(juror))
        networks = []
        for line, guessed in zip(self.lines, guesses, strict=True):
            networks.append((yield from self._fit(number, line, guessed)))
            if self.stop.is_set():
                break
        if not (number and self.stop.is_set()):
            name = iteration_name(number)
            yield from self._settle(number, name, networks, lesson, begun)

    def _join(self, number: int) -> Iterator[TrainingEvent]:
        """Judge the mean of all models that were kept like one more iteration."""
        begun, name = perf_counter(), f"iteration_{number}_ensemble"
        networks = [
            Ensemble([self._load(line, iteration) for iteration in self.accepted]).eval()
            for line in self.lines
        ]
        in_vain = self.in_vain
        yield from self._settle(number, name, networks, None, begun)
        self.in_vain = in_vain

    def _fit(
        self, number: int, line: Line, guesses: Sequence[Guess | None]
    ) -> Generator[Step, None, nn.Module]:
        """Train one network from fresh weights."""
        pairs = zip(line.examples, guesses, strict=True)
        fields = [example.field(self.settings.complete, guessed) for example, guessed in pairs]
        seeded = self.settings.model_copy(update={"seed": self.settings.seed + number})
        trainer = Trainer(fields, seeded, line.steps(number, self.settings), self.device)
        yield from fit(
            trainer, self.course, self.stop, line.part(self.folder, iteration_name(number))
        )
        return trainer.averaged

    def _settle(
        self,
        number: int,
        name: str,
        networks: Sequence[nn.Module],
        lesson: PseudoLabelled | None,
        begun: float,
    ) -> Iterator[TrainingEvent]:
        """Judge what was trained; keep it if it is better, and say so once it is on disk."""
        model = self.lines[0]
        standing = self._judge(number, networks)
        verdict = self._verdict(standing)
        judgement = standing.judgement
        yield validation(self.course.step, judgement, self.settings)
        for line, network in zip(self.lines, networks, strict=False):
            saved = model_of(network, judgement, self.settings, model.examples[0].border)
            self.folder.save_model(name, saved, line.file)
        self.folder.save_picks(name, judgement.kept, model.examples[0].pixel_size_angstrom)
        self.folder.save_metrics(
            name,
            {"number": number, "name": name}
            | {"accepted": verdict.accepted, "reason": verdict.reason}
            | metrics_of(judgement, self.settings)
            | {"pseudo_labels": lesson and lesson.as_figures()}
            | {"held_out_picks": standing.held_out, "expected": self._expected(judgement)}
            | {"stopped": self.stop.is_set(), "seconds": perf_counter() - begun},
        )
        if not self.stop.is_set():
            self._forget_parts(name)
        yield from self._accept(number, name, standing, verdict)

    def _forget_parts(self, name: str) -> None:
        for line in self.lines:
            line.part(self.folder, name).unlink(missing_ok=True)

    def _accept(
        self, number: int, name: str, standing: Standing, verdict: Verdict
    ) -> Iterator[TrainingEvent]:
        """Make an iteration the best one if it is, and tell of it."""
        judgement = standing.judgement
        path = self.lines[0].weights(self.folder, name)
        self.in_vain = not verdict.accepted
        if verdict.accepted:
            self.standing = standing
            self.accepted.append(name)
            self.folder.accept(name)
            yield Checkpoint(self.course.step, path)
        yield Iteration(
            number,
            name,
            path,
            judgement.f1,
            judgement.average_precision,
            judgement.threshold,
            judgement.count,
            verdict.accepted,
            verdict.reason,
        )

    def _take_up(self) -> Iterator[TrainingEvent]:
        """Go past the iterations that were finished earlier; the best of them is still the best."""
        for figures in self.before:
            self.course.skip(self._steps(figures["number"]))
            self._forget_parts(figures["name"])
            self.in_vain = not figures["accepted"]
            if figures["accepted"]:
                self.accepted.append(figures["name"])
            yield self._told(figures)
        if self.before:
            self.expected = self.before[0]["expected"]
            name = self.accepted[-1]
            number = next(f["number"] for f in self.before if f["name"] == name)
            self.standing = self._judge(number, [self._load(line, name) for line in self.lines])
            self.folder.accept(name)
            self.folder.forget_ensembles()
            self.in_vain = self.in_vain and not self.continued

    def _told(self, figures: dict[str, Any]) -> Iteration:
        """An iteration as its figures on disk tell."""
        known: dict[str, Any] = {
            name: nan if value is None else value for name, value in figures.items()
        }
        names = ("number", "name", "f1", "average_precision", "threshold", "count", "accepted")
        path = self.lines[0].weights(self.folder, figures["name"])
        return Iteration(path=path, reason=figures["reason"], **{n: known[n] for n in names})

    # looking and judging

    def _judge(self, number: int, networks: Sequence[nn.Module]) -> Standing:
        model, s = self.lines[0], self.settings
        start = TAUGHT if number else None
        least = self.expected if number else 0.0
        judgement = judge(networks[0], model.examples, s.complete, start, s.expected_count, least)
        if not number:
            self.expected = self._expected(judgement)
        if len(self.lines) == 1 or len(networks) < len(self.lines):
            return Standing(judgement, held_out=held_out_count(model.examples))
        jurors = zip(networks[1:], self.lines[1:], strict=True)
        views = [look(network, line.examples, judgement) for network, line in jurors]
        evidence = gather(views, judgement)
        return Standing(evidence.informed(judgement), evidence, len(evidence.ranks))

    def _expected(self, judgement: Judgement) -> float:
        """Particles on all micrographs."""
        return sum(judgement.expected(example.path) for example in self.lines[0].examples)

    def _verdict(self, standing: Standing) -> Verdict:
        if self.standing is None:
            return FIRST
        return FORCED if self.settings.always_accept else compare(self.standing, standing)

    def _look_back(self, line: Line, averaging: bool = False) -> list[View]:
        """What the best model so far sees on the micrographs of its line."""
        assert self.standing is not None
        teacher = self._load(line, self.accepted[-1])
        return look(teacher, line.examples, self.standing.judgement, averaging)

    def _complaint(self, views: Sequence[View]) -> str:
        assert self.standing is not None
        return "" if self.settings.always_accept else collapsed(views, self.standing)

    def _teach(
        self, number: int, views: Sequence[View]
    ) -> tuple[PseudoLabelled, list[Guess | None]]:
        """What a teacher's views have to say, and an account of it."""
        thresholds = choose_thresholds(views, self.settings, number)
        guesses = [self._guess(view, thresholds) for view in views]
        counts = [len(each.positions) for each in guesses if each]
        told = PseudoLabelled(
            number,
            sum(counts),
            sum(map(bool, counts)),
            thresholds.particle,
            thresholds.background,
            thresholds.reason,
        )
        return told, guesses

    def _guess(self, view: View, thresholds: Thresholds) -> Guess | None:
        """None where a person has said everything."""
        if self.settings.complete and view.example.picks is not None:
            return None
        return guess(view, thresholds, self.settings.pseudo_labels)

    def _load(self, line: Line, iteration: str) -> nn.Module:
        return load_weights(line.weights(self.folder, iteration)).network.to(self.device)

    def _steps(self, number: int) -> int:
        return sum(line.steps(number, self.settings) for line in self.lines)
