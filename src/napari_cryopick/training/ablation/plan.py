"""The rows of an ablation, and the trainings they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SELF_TRAINING = "self-training"

TRAININGS: dict[str, dict[str, Any]] = {
    "bce": {"loss": "bce", "augmentation": 0.0},
    "focal-dice": {"loss": "focal-dice", "augmentation": 0.0},
    "augmented": {"loss": "focal-dice"},
    SELF_TRAINING: {"loss": "focal-dice"},
}
"""What each training changes of the settings. All but the last are supervised, on labels alone."""

PUBLISHED_ROUNDS = (75.87, 75.95, 75.43)
ELSEWHERE = {"CryoTransformer": 74.0}
"""Published pixel F1 of other programs, in per cent."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    key, name
        For files and for people.
    training
        Name in `TRAININGS`.
    iteration
        Which of its models: 0 the supervised one, then the rounds.
    adaptive
        Cut where held-out labels say, instead of at 0.5.
    published
        Pixel F1 in per cent, as published for this step.
    """

    key: str
    name: str
    training: str
    iteration: int = 0
    adaptive: bool = True
    published: float | None = None


def plan(rounds: int) -> list[Row]:
    """All rows, each with one part more than the one above."""
    return [
        Row("baseline", "Baseline (BCE)", "bce", 0, False, 62.66),
        Row("loss", "+ combined loss (focal + Dice)", "focal-dice", 0, False, 65.2),
        Row("thresholds", "+ adaptive thresholds", "focal-dice", 0, True, 67.8),
        Row("augmentation", "+ strong augmentation", "augmented", 0, True, 71.5),
        *(_round(number) for number in range(1, rounds + 1)),
    ]


def _round(number: int) -> Row:
    published = PUBLISHED_ROUNDS[number - 1] if number <= len(PUBLISHED_ROUNDS) else None
    name = f"+ self-training, iteration {number}"
    return Row(f"iteration-{number}", name, SELF_TRAINING, number, True, published)
