"""A model and its successors: a line of networks, of which each teaches the next."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import torch
from torch import nn

from ..errors import CryopickError
from ..model.card import Calibration
from ..model.registry import WEIGHTS
from ..model.weights import load_weights
from ..runs.folder import RunFolder, iteration_name
from .augmentation import USUAL
from .events import Step
from .evidence import OTHERS, fold
from .examples import Example, labelled_px
from .fitting import Course, fit
from .foresight import Foresight, foresee
from .judging import Judgement, judge
from .lessons import Lesson
from .pseudo_labels import View, look
from .sampling import Field
from .settings import SelfTrainSettings
from .simulated import Simulated
from .trainer import Trainer


@dataclass(frozen=True, eq=False)
class Line:
    """A model and its successors, and what teaches them.

    The first line of a run is the model's own. Each of the others is a juror's: it learns from a
    part of the clicks only, so that the rest can judge it.

    Attributes
    ----------
    file
        What its weights are called in the folder of each iteration.
    examples
        Micrographs that it learns from, each with what is held out of it.
    settings, folder, device
        Those of the run.
    foresight
        What the model that the run starts from makes of the micrographs.
    simulated
        What its first network learns from where nobody has labelled anything.
    """

    file: str
    examples: Sequence[Example]
    settings: SelfTrainSettings
    folder: RunFolder
    device: torch.device
    foresight: Foresight
    simulated: Simulated | None = None

    def steps(self, number: int) -> int:
        """How many an iteration takes."""
        over = self.settings.round_steps_over if number else self.settings.steps_over
        return over(labelled_px(self.examples))

    def weights(self, iteration: str) -> Path:
        """Where those of an iteration are kept."""
        return self.folder.path / iteration / self.file

    def part(self, iteration: str) -> Path:
        """Where the state of its training is kept until the iteration is done."""
        return self.folder.path / iteration / f".part_{self.file}"

    def require(self, iterations: Sequence[str]) -> None:
        """Refuse to go on without the weights of these iterations.

        Raises
        ------
        CryopickError
            If any are missing: what was learnt from them cannot be repeated without them.
        """
        for path in map(self.weights, iterations):
            if not path.exists():
                raise CryopickError(
                    f"{path} is missing, and without it the run cannot go on; put it back, or "
                    "begin a new run in another output folder."
                )

    def load(self, iteration: str) -> nn.Module:
        """The network of an iteration, in evaluation mode."""
        return load_weights(self.weights(iteration)).network.to(self.device)

    def look(self, iteration: str, judgement: Judgement, averaging: bool = False) -> list[View]:
        """What the network of an iteration sees on its micrographs."""
        return look(self.load(iteration), self.examples, judgement, averaging)

    def calibration(self, network: nn.Module) -> Calibration | None:
        """How the scores of a first network are to be read, if simulated micrographs can tell."""
        if self.simulated is None:
            return None
        return judge(network, self.simulated.tests, complete=True).calibration

    def train(
        self, number: int, lesson: Lesson | None, course: Course, stop: Event
    ) -> Generator[Step, None, nn.Module]:
        """Train the network of an iteration, from the run's beginning or where it was killed."""
        fields = self._fields(lesson)
        seeded = self.settings.model_copy(update={"seed": self.settings.seed + number})
        names = (*USUAL, "blocks") if number and self.settings.blocks else USUAL
        trainer = Trainer(fields, seeded, self.steps(number), self.device, names)
        yield from fit(trainer, course, stop, self.part(iteration_name(number)))
        return trainer.averaged

    def _fields(self, lesson: Lesson | None) -> Sequence[Field]:
        """What is labelled, and what a lesson says of the rest; or what was simulated."""
        if self.simulated and not lesson:
            return self.simulated.fields
        guesses = lesson.guesses if lesson else map(self.foresight.guess, self.examples)
        pairs = zip(self.examples, guesses, strict=True)
        return [example.field(self.settings.complete, guessed) for example, guessed in pairs]


def lines_of(
    examples: Sequence[Example],
    settings: SelfTrainSettings,
    folder: RunFolder,
    device: torch.device,
    simulated: Simulated | None = None,
) -> list[Line]:
    """The model's line, and those of jurors where only clicks can judge, or not even these."""
    foresight = foresee(examples, settings, device)

    def line(file: str, examples: Sequence[Example], simulated: Simulated | None = None) -> Line:
        return Line(file, examples, settings, folder, device, foresight, simulated)

    if simulated:
        halves = enumerate(simulated.halves() if settings.rounds else [], 1)
        return [line(WEIGHTS, examples, simulated)] + [
            line(_juror(i), examples[:OTHERS], half) for i, half in halves
        ]
    if settings.complete:
        return [line(WEIGHTS, examples)]
    jurors = fold(examples, np.random.default_rng(settings.seed))
    return [line(WEIGHTS, [example.all_teaching() for example in examples])] + [
        line(_juror(i), part) for i, part in enumerate(jurors, 1)
    ]


def _juror(number: int) -> str:
    return f"juror_{number}.safetensors"
