"""The course of a self-training run: iteration by iteration, the best one so far in hand."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from threading import Event
from time import perf_counter

from torch import nn

from ..model.device import describe
from ..model.registry import load_model
from ..model.unet import Ensemble
from ..runs.folder import RunFolder, iteration_name
from .advice import after, against_rounds
from .events import Checkpoint, Finished, Step, TrainingEvent
from .fitting import Course
from .gate import Standing, Verdict, collapsed, decide, spoilt
from .jury import expected, stand
from .lessons import Lesson, teach
from .lines import Line
from .outcome import figures_of, save, told
from .settings import SelfTrainSettings
from .supervised import started, validation

START_KEPT = "The model started from, unchanged: models trained on half of the clicks find less."


class SelfTraining:
    """A run under way: its lines, how far it is, and the best so far.

    Parameters
    ----------
    lines
        That of the model, and those of its jurors.
    settings, folder
        Those of the run.
    stop
        Ends it in order once set.

    Raises
    ------
    CryopickError
        If weights that it needs to go on are missing.
    """

    def __init__(
        self, lines: Sequence[Line], settings: SelfTrainSettings, folder: RunFolder, stop: Event
    ) -> None:
        self.lines, self.settings, self.folder, self.stop = lines, settings, folder, stop
        self.before = folder.done()
        iterations = max(settings.rounds + 1, len(self.before))
        self.course = Course(sum(map(self._steps, range(iterations))))
        self.accepted = [figures["name"] for figures in self.before if figures["accepted"]]
        self.standing: Standing | None = None
        self.least: float | None = None
        self.in_vain, self.advice = False, ""
        needed = self.accepted if settings.ensemble else self.accepted[-1:]
        for line in lines:
            line.require(needed)

    @property
    def model(self) -> Line:
        """The line that all this is about."""
        return self.lines[0]

    def events(self) -> Iterator[TrainingEvent]:
        """Everything between reading and finishing."""
        device = describe(self.model.device)
        yield started(self.model.examples, device, self.settings, self.course.steps)
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
        stopped = self.stop.is_set()
        return Finished(
            self.folder.path,
            self.model.weights(self.accepted[-1]),
            self.standing.judgement.figures(),
            stopped,
            seconds,
            self.advice or after(self.settings, len(self.accepted), self.in_vain, stopped),
        )

    def _done(self) -> bool:
        """Whether another round makes no sense."""
        self.advice = self.advice or against_rounds(self.lines, self.settings)
        return bool(self.advice) or self.in_vain

    def _take_up(self) -> Iterator[TrainingEvent]:
        """Go past the iterations that were finished earlier; the best of them is still the best."""
        for figures in self.before:
            self.course.skip(self._steps(figures["number"]))
            self._forget_parts(figures["name"])
            yield told(figures, self.model)
        if self.before:
            last = self.before[-1]
            self.in_vain = not (last["accepted"] or self.folder.ended_with(last["name"]))
            self._go_on_from(self.accepted[-1])

    def _go_on_from(self, name: str) -> None:
        """Judge the best of the earlier iterations once more, for the later ones to beat."""
        least = self.before[0]["expected"]
        networks = [line.load(name) for line in self.lines]
        self.standing = stand(self.lines, networks, None if name == iteration_name(0) else least)
        self.least = least
        self.folder.accept(name)
        self.folder.forget_ensembles()

    def _iterate(self, number: int) -> Iterator[TrainingEvent]:
        """Train all lines from what the run began with, judge them, put the outcome on disk."""
        begun = perf_counter()
        lessons = self._teach(number) if number else [None] * len(self.lines)
        if not lessons:
            return
        if lessons[0]:
            yield lessons[0].told
        networks = yield from self._train(number, lessons)
        if not (number and self.stop.is_set()):
            yield from self._settle(number, iteration_name(number), networks, lessons[0], begun)

    def _teach(self, number: int) -> Sequence[Lesson | None]:
        """A lesson for each line by its best network; none, with advice, if that is not fit to."""
        assert self.standing is not None
        best, judgement = self.accepted[-1], self.standing.judgement
        views = self.model.look(best, judgement, averaging=True)
        self.advice = "" if self.settings.always_accept else collapsed(views, self.standing)
        if self.advice:
            self.in_vain = True
            return []
        of_jurors = (juror.look(best, judgement) for juror in self.lines[1:])
        return [teach(each, self.settings, number) for each in chain([views], of_jurors)]

    def _train(
        self, number: int, lessons: Sequence[Lesson | None]
    ) -> Generator[Step, None, list[nn.Module]]:
        """One network a line, or those begun before the stop."""
        networks = []
        for line, lesson in zip(self.lines, lessons, strict=True):
            networks.append((yield from line.train(number, lesson, self.course, self.stop)))
            if self.stop.is_set():
                break
        return networks

    def _join(self, number: int) -> Iterator[TrainingEvent]:
        """Judge the mean of all models that were kept like one more iteration."""
        begun, in_vain = perf_counter(), self.in_vain
        networks = [
            Ensemble([line.load(name) for name in self.accepted]).eval() for line in self.lines
        ]
        yield from self._settle(number, f"iteration_{number}_ensemble", networks, None, begun)
        self.in_vain = in_vain

    def _settle(
        self,
        number: int,
        name: str,
        networks: Sequence[nn.Module],
        lesson: Lesson | None,
        begun: float,
    ) -> Iterator[TrainingEvent]:
        """Judge what was trained; keep it if it is better, and say so once it is on disk."""
        standing = stand(self.lines, networks, self.least)
        verdict = decide(self.standing, standing, self.settings.always_accept)
        if not number and (start := self._unspoilt(standing)):
            networks, standing, verdict = start
        yield validation(self.course.step, standing.judgement, self.settings)
        if self.least is None:
            self.least = expected(standing.judgement)
        figures = figures_of(number, name, standing, verdict, lesson, self.model)
        figures |= {"stopped": self.stop.is_set(), "seconds": perf_counter() - begun}
        save(self.lines, networks, standing, figures)
        if not self.stop.is_set():
            self._forget_parts(name)
        self.in_vain = not verdict.accepted
        if verdict.accepted:
            yield self._accept(name, standing)
        yield told(figures, self.model)

    def _unspoilt(self, trained: Standing) -> tuple[list[nn.Module], Standing, Verdict] | None:
        """The model that the run started from, where clicks say that training made it worse."""
        if self.settings.from_scratch or not (trained.evidence and trained.evidence.clicks):
            return None
        model = load_model(self.settings.start)
        networks = [model.network.to(self.model.device)] * len(self.lines)
        before = stand(self.lines, networks, None, model.card.calibration)
        if before.evidence is None or not spoilt(before.evidence, trained.evidence):
            return None
        return networks, before, Verdict(True, START_KEPT)

    def _accept(self, name: str, standing: Standing) -> Checkpoint:
        """Make an iteration the best one."""
        self.standing = standing
        self.accepted.append(name)
        self.folder.accept(name)
        return Checkpoint(self.course.step, self.model.weights(name))

    def _forget_parts(self, name: str) -> None:
        for line in self.lines:
            line.part(name).unlink(missing_ok=True)

    def _steps(self, number: int) -> int:
        return sum(line.steps(number) for line in self.lines)
