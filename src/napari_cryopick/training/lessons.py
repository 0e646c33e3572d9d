"""What a teacher has to say of all micrographs, in one round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .events import PseudoLabelled
from .pseudo_labels import Thresholds, View, choose_thresholds, guess
from .settings import SelfTrainSettings
from .targets import Guess


@dataclass(frozen=True, eq=False)
class Lesson:
    """A guess for each micrograph, None where a person has said everything; and its account."""

    guesses: Sequence[Guess | None]
    told: PseudoLabelled


def teach(views: Sequence[View], settings: SelfTrainSettings, number: int) -> Lesson:
    """Make the lesson of round `number` out of what the teacher sees."""
    thresholds = choose_thresholds(views, settings, number)
    guesses = [_guess(view, thresholds, settings) for view in views]
    counts = [len(each.positions) for each in guesses if each]
    told = PseudoLabelled(
        number,
        sum(counts),
        sum(map(bool, counts)),
        thresholds.particle,
        thresholds.background,
        thresholds.reason,
    )
    return Lesson(guesses, told)


def _guess(view: View, thresholds: Thresholds, settings: SelfTrainSettings) -> Guess | None:
    if settings.complete and view.example.picked:
        return None
    return guess(view, thresholds, settings.pseudo_labels)
