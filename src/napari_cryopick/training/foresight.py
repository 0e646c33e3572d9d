"""What the model that a training starts from makes of its micrographs before it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..model.registry import load_model
from .examples import Example
from .judging import judge
from .pseudo_labels import guess, look, thresholds_at
from .settings import TrainSettings
from .targets import Guess

SURE, DOUBTFUL = 0.75, 1.5
"""As in `pseudo_labels`, with more room for particles of which the model is not sure."""


@dataclass(frozen=True, eq=False)
class Foresight:
    """Guesses, and numbers of particles expected, by micrograph.

    A few clicks alone would have a model forget the particles that nobody has clicked on.
    """

    guesses: Mapping[Path, Guess]
    counts: Mapping[Path, float]

    def guess(self, example: Example) -> Guess | None:
        """What is surely there, where a person has not said all."""
        return self.guesses.get(example.path)

    def expected(self, examples: Sequence[Example]) -> float:
        """Particles on some micrographs."""
        return sum(self.counts.get(example.path, 0.0) for example in examples)


def foresee(
    examples: Sequence[Example], settings: TrainSettings, device: torch.device
) -> Foresight:
    """Have the model that a training starts from look at everything.

    From scratch, or where a person has picked every particle, nothing is foreseen.
    """
    if settings.from_scratch or settings.complete:
        return Foresight({}, {})
    model = load_model(settings.start)
    network = model.network.to(device)
    judgement = judge(network, examples, False, model.card.calibration)
    views = look(network, examples, judgement)
    thresholds = thresholds_at(views, SURE, DOUBTFUL)
    return Foresight(
        {view.example.path: guess(view, thresholds) for view in views},
        {example.path: judgement.expected(example.path) for example in examples},
    )
