"""A run folder as its report and its dock need it: plain figures, read without the weights."""

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

SETTINGS, EVENTS = "settings.yaml", "events.jsonl"
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
    """The supervised start (number 0), a round of self-training, or all that were kept together.

    NaN and None are unknown.

    Attributes
    ----------
    accepted, reason
        Whether it became the run's best model (None: it is not finished), and why or why not.
    judged, best
        Whether its figures are on disk, and whether it is the run's model now.
    complete
        Whether figures are measured on complete labels, or estimated from clicks.
    pixels
        Figures at pixel level, by name.
    count
        Picks kept on all micrographs of the run.
    micrographs
        Those that were looked at, as far as it is known.
    """

    number: int
    path: Path
    accepted: bool | None
    reason: str = ""
    judged: bool = True
    best: bool = False
    complete: bool | None = None
    f1: float = nan
    precision: float = nan
    recall: float = nan
    average_precision: float = nan
    threshold: float = nan
    pixels: Mapping[str, float] = field(default_factory=dict)
    count: int | None = None
    micrographs: tuple[str, ...] = ()
    pseudo_labels: PseudoLabels | None = None
    held_out_picks: int | None = None
    seconds: float = nan

    @property
    def is_ensemble(self) -> bool:
        return is_ensemble(self.path.name)

    @property
    def title(self) -> str:
        if not self.number:
            return "supervised start"
        return "ensemble" if self.is_ensemble else f"iteration {self.number}"

    @property
    def phrase(self) -> str:
        """The title within a sentence."""
        return self.title if self.number and not self.is_ensemble else f"the {self.title}"

    def picks(self) -> PickSet:
        """The picks it kept; `CryopickError` if they cannot be read."""
        return read_picks(self.path / "picks.star")


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
        """The iteration that the run leads to, or else the one that was accepted last."""
        accepted = [one for one in self.iterations if one.accepted]
        return next((one for one in accepted if one.best), accepted[-1] if accepted else None)


def read_run(path: Path) -> RunData:
    """Read a run, finished or not; what is missing or broken becomes a note.

    Raises
    ------
    CryopickError
        If the folder does not exist or holds no run.
    """
    with reading(path, "a training run"):
        names = [file.name for file in path.iterdir()]
    if not any(name in (SETTINGS, EVENTS) or _FOLDER.fullmatch(name) for name in names):
        raise CryopickError(f"{path} holds no run; give the folder that a training wrote.")
    notes: list[str] = []
    log = read_log(path / EVENTS, notes)
    iterations = tuple(read_iterations(path, notes, log))
    return RunData(path, read_settings(path, notes), iterations, log, tuple(notes))


def read_settings(run: Path, notes: list[str]) -> dict[str, Any]:
    """The settings a run was started with; none, and a note, if they are missing or broken."""
    path = run / SETTINGS
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        settings = None
    if isinstance(settings, dict):
        return settings
    notes.append(f"The settings are left out: {path.name} is missing or broken.")
    return {}


def read_iterations(run: Path, notes: list[str], log: RunLog | None = None) -> list[RunIteration]:
    """The iterations of a run by number, judged or not; notes say which are not.

    Where figures do not say what a round was taught, the log does.
    """
    best = (run / BEST).resolve().name
    taught = log.pseudo_labels if log else {}
    numbered = [(_FOLDER.fullmatch(folder.name), folder) for folder in run.glob("iteration_*")]
    found = [(int(match[1]), folder) for match, folder in numbered if match and folder.is_dir()]
    return [
        _iteration(order, folder, folder.name == best, taught.get(order, {}), notes)
        for order, folder in sorted(found)
    ]


def is_ensemble(name: str) -> bool:
    """Whether an iteration of that name is the mean of all that were kept, judged like one more."""
    return name.endswith("_ensemble")


def _iteration(
    order: int, folder: Path, best: bool, taught: Mapping[str, Any], notes: list[str]
) -> RunIteration:
    metrics = _metrics(folder / "metrics.json", notes)
    accepted = _truth(metrics, "accepted")
    lesson = _mapping({"pseudo_labels": taught} | metrics, "pseudo_labels")
    return RunIteration(
        order,
        folder,
        (bool(metrics) or best or None) if accepted is None else accepted,
        str(metrics.get("reason") or ""),
        judged=bool(metrics),
        best=best,
        complete=_truth(metrics, "complete"),
        **{name: number(metrics.get(name)) for name in _FIGURES},
        pixels={name: number(value) for name, value in _mapping(metrics, "pixels").items()},
        count=whole(metrics.get("count")),
        micrographs=tuple(map(str, metrics.get("micrographs") or ())),
        pseudo_labels=_pseudo_labels(lesson),
        held_out_picks=whole(metrics.get("held_out_picks")),
        seconds=number(metrics.get("seconds")),
    )


def _truth(metrics: Mapping[str, Any], name: str) -> bool | None:
    value = metrics.get(name)
    return value if isinstance(value, bool) else None


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


def _metrics(path: Path, notes: list[str]) -> dict[str, Any]:
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
