"""A run folder as its report needs it: plain figures, read without the weights."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

import yaml

from ..errors import CryopickError
from ..io import PickSet, read_picks
from ..io.files import reading
from ..network.zoo import BEST
from .run_log import RunLog, number, read_log, whole

_FIGURES = ("f1", "precision", "recall", "average_precision", "threshold")
_FOLDER = re.compile(r"iteration_(\d+)_\w+")


@dataclass(frozen=True)
class PseudoLabels:
    """What a round was taught besides a person's labels, and between which thresholds."""

    particles: int | None
    micrographs: int | None
    particle_threshold: float
    background_threshold: float
    reason: str


@dataclass(frozen=True)
class RunIteration:
    """The supervised start (number 0) or a round of self-training; NaN and None are unknown.

    Attributes
    ----------
    accepted, reason
        Whether it became the run's best model (None: it is not finished), and why or why not.
    complete
        Whether figures are measured on complete labels, or estimated from clicks.
    pixels
        Figures at pixel level, by name.
    count
        Picks kept on all micrographs of the run.
    """

    number: int
    name: str
    accepted: bool | None
    reason: str = ""
    complete: bool | None = None
    f1: float = nan
    precision: float = nan
    recall: float = nan
    average_precision: float = nan
    threshold: float = nan
    pixels: Mapping[str, float] = field(default_factory=dict)
    count: int | None = None
    pseudo_labels: PseudoLabels | None = None
    held_out_picks: int | None = None
    seconds: float = nan

    @property
    def title(self) -> str:
        return f"iteration {self.number}" if self.number else "supervised start"


@dataclass(frozen=True, eq=False)
class RunData:
    """What a run folder says; `notes` are sentences on what could not be read."""

    path: Path
    settings: Mapping[str, Any]
    iterations: tuple[RunIteration, ...]
    log: RunLog
    notes: tuple[str, ...]

    @property
    def best(self) -> RunIteration | None:
        """The iteration that was accepted last."""
        return next((one for one in reversed(self.iterations) if one.accepted), None)

    def picks(self, iteration: RunIteration) -> PickSet:
        """The picks an iteration kept; `CryopickError` if they cannot be read."""
        return read_picks(self.path / iteration.name / "picks.star")


def read_run(path: Path) -> RunData:
    """Read a run, finished or not; what is missing or broken becomes a note.

    Raises
    ------
    CryopickError
        If the folder does not exist or holds no run.
    """
    with reading(path, "a training run"):
        folders = _iteration_folders(path)
        known = [path / name for name in ("settings.yaml", "events.jsonl")]
        if not folders and not any(file.exists() for file in known):
            raise CryopickError(f"{path} holds no run; give the folder that a training wrote.")
    notes: list[str] = []
    log = read_log(path / "events.jsonl", notes)
    best = (path / BEST).resolve().name if (path / BEST).exists() else None
    iterations = tuple(_iteration(folder, best, log, notes) for folder in folders)
    return RunData(path, _settings(path / "settings.yaml", notes), iterations, log, tuple(notes))


def _iteration_folders(path: Path) -> list[Path]:
    """Folders of iterations, by number."""
    numbered = [(_FOLDER.fullmatch(folder.name), folder) for folder in path.iterdir()]
    found = [(int(match[1]), folder) for match, folder in numbered if match and folder.is_dir()]
    return [folder for _, folder in sorted(found)]


def _iteration(folder: Path, best: str | None, log: RunLog, notes: list[str]) -> RunIteration:
    metrics = _metrics(folder / "metrics.json", notes)
    order = int(folder.name.split("_")[1])
    return RunIteration(
        order,
        folder.name,
        _accepted(metrics, folder.name == best),
        str(metrics.get("reason") or ""),
        complete=_truth(metrics, "complete"),
        **{name: number(metrics.get(name)) for name in _FIGURES},
        pixels={name: number(value) for name, value in _mapping(metrics, "pixels").items()},
        count=_count(metrics, folder),
        pseudo_labels=_pseudo_labels(
            _mapping(metrics, "pseudo_labels") or log.pseudo_labels.get(order, {})
        ),
        held_out_picks=whole(metrics.get("held_out_picks")),
        seconds=number(metrics.get("seconds")),
    )


def _accepted(metrics: Mapping[str, Any], is_best: bool) -> bool | None:
    """What the metrics say; where they say nothing, the best model is known to be accepted."""
    said = _truth(metrics, "accepted")
    return (is_best or None) if said is None else said


def _truth(metrics: Mapping[str, Any], name: str) -> bool | None:
    value = metrics.get(name)
    return value if isinstance(value, bool) else None


def _count(metrics: Mapping[str, Any], folder: Path) -> int | None:
    counted = whole(metrics.get("count"))
    if counted is not None or not metrics:
        return counted
    try:
        return len(read_picks(folder / "picks.star"))
    except CryopickError:
        return None


def _pseudo_labels(said: Mapping[str, Any]) -> PseudoLabels | None:
    if not said:
        return None
    return PseudoLabels(
        whole(said.get("particles")),
        whole(said.get("micrographs")),
        number(said.get("particle_threshold")),
        number(said.get("background_threshold")),
        str(said.get("reason") or ""),
    )


def _metrics(path: Path, notes: list[str]) -> Mapping[str, Any]:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        notes.append(f"{path.parent.name} was not finished, so it has no figures.")
        return {}
    except (OSError, ValueError):
        metrics = None
    if isinstance(metrics, dict):
        return metrics
    notes.append(f"The figures of {path.parent.name} are left out: its {path.name} is broken.")
    return {}


def _mapping(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = metrics.get(name)
    return value if isinstance(value, dict) else {}


def _settings(path: Path, notes: list[str]) -> Mapping[str, Any]:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        settings = None
    if isinstance(settings, dict):
        return settings
    notes.append(f"The settings are left out: {path.name} is missing or broken.")
    return {}
