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
from ..network.weights import load_weights
from ..network.zoo import WEIGHTS
from .augmentation import USUAL
from .events import Step
from .evidence import fold
from .examples import Example, labelled_px
from .fitting import Course, fit
from .judging import Judgement
from .lessons import Lesson
from .pseudo_labels import View, look
from .runs import RunFolder, iteration_name
from .settings import SelfTrainSettings
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
    """

    file: str
    examples: Sequence[Example]
    settings: SelfTrainSettings
    folder: RunFolder
    device: torch.device

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

    def train(
        self, number: int, lesson: Lesson | None, course: Course, stop: Event
    ) -> Generator[Step, None, nn.Module]:
        """Train the network of an iteration, from fresh weights or from where it was killed."""
        guesses = lesson.guesses if lesson else [None] * len(self.examples)
        pairs = zip(self.examples, guesses, strict=True)
        fields = [example.field(self.settings.complete, guessed) for example, guessed in pairs]
        seeded = self.settings.model_copy(update={"seed": self.settings.seed + number})
        names = (*USUAL, "blocks") if number and self.settings.blocks else USUAL
        trainer = Trainer(fields, seeded, self.steps(number), self.device, names)
        yield from fit(trainer, course, stop, self.part(iteration_name(number)))
        return trainer.averaged


def lines_of(
    examples: Sequence[Example],
    settings: SelfTrainSettings,
    folder: RunFolder,
    device: torch.device,
) -> list[Line]:
    """The model's line, and those of jurors where only clicks can judge."""

    def line(file: str, examples: Sequence[Example]) -> Line:
        return Line(file, examples, settings, folder, device)

    if settings.complete:
        return [line(WEIGHTS, examples)]
    jurors = fold(examples, np.random.default_rng(settings.seed))
    return [line(WEIGHTS, [example.all_teaching() for example in examples])] + [
        line(f"juror_{i}.safetensors", part) for i, part in enumerate(jurors, 1)
    ]
