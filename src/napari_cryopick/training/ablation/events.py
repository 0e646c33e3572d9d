"""What an ablation tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .plan import Row
from .tables import Line


@dataclass(frozen=True)
class Training:
    """One step of one training; `job` counts the trainings of all seeds from 0."""

    seed: int
    training: str
    job: int
    jobs: int
    step: int
    steps: int


@dataclass(frozen=True)
class Scored:
    """One row has its figures of one seed, pixel F1 among them; None where there is no model.

    `reused` says that they were on disk already.
    """

    row: Row
    seed: int
    pixel_f1: float | None
    reused: bool


@dataclass(frozen=True)
class Tabulated:
    """The tables are written with what is known so far; the last event."""

    folder: Path
    lines: list[Line]
    stopped: bool


AblationEvent = Training | Scored | Tabulated
