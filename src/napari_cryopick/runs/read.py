"""What lies in the folders of runs, read without torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import isfinite, nan
from pathlib import Path
from typing import Any

import yaml

from ..errors import CryopickError
from ..io import PickSet, read_picks
from ..io.files import reading
from ..model.registry import BEST

_TAIL_BYTES = 1 << 16


@dataclass(eq=False)
class RunLog:
    """What of `events.jsonl` a report shows.

    Attributes
    ----------
    started, finished
        Fields of these events; empty where there was none.
    losses
        Total loss by step; of a step taken twice, in a run that was resumed, the later one.
    ends
        The step at which an iteration was judged, by its number; one that a resumed run takes up
        as it is keeps its place.
    pseudo_labels
        Fields of the event, by number of the iteration.
    """

    started: Mapping[str, Any] = field(default_factory=dict)
    finished: Mapping[str, Any] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    pseudo_labels: dict[int, Mapping[str, Any]] = field(default_factory=dict)


def read_log(path: Path, notes: list[str]) -> RunLog:
    """Read a log, also one whose last line was cut off; notes say what is left out."""
    log = RunLog()
    step = 0
    for event in _events(path, notes):
        match event.get("event"):
            case "Started":
                log.started, log.finished, step = event, {}, 0
            case "Step":
                step = whole(event.get("step")) or step
                log.losses[step] = _total(event)
            case "Iteration" if step:
                log.ends[whole(event.get("number")) or 0] = step
            case "PseudoLabelled":
                log.pseudo_labels[whole(event.get("iteration")) or 0] = event
            case "Finished":
                log.finished = event
    return log


def is_finished(path: Path) -> bool:
    """Whether a run has come to its end, and not because it was stopped.

    Its last event tells, and no more than that is read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return False
    return bool(lines) and _is_end(_parse(lines[-1]) or {})


def told_by_the_end(path: Path) -> set[str]:
    """Names of the iterations that a run had come to when it last ended without being stopped.

    It may have gone on since.
    """
    told: set[str] = set()
    by_the_end: set[str] = set()
    for event in _events(path, []):
        if event.get("event") == "Iteration":
            told.add(str(event.get("name")))
        elif _is_end(event):
            by_the_end = set(told)
    return by_the_end


def number(value: object) -> float:
    """A finite number as it is, NaN for everything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    return nan


def whole(value: object) -> int | None:
    """A whole number, None for everything else."""
    return int(value) if isinstance(value, (int, float)) and isfinite(value) else None


def _events(path: Path, notes: list[str]) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        notes.append(f"The loss is left out: {path.name} is missing or cannot be read.")
        return
    events = [_parse(line) for line in lines]
    broken = events.count(None)
    if broken:
        notes.append(f"Broken lines of {path.name} are left out: {broken} of {len(lines)}.")
    yield from (event for event in events if event is not None)


def _is_end(event: Mapping[str, Any]) -> bool:
    return event.get("event") == "Finished" and not event.get("stopped")


def _parse(line: str | bytes) -> Mapping[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _total(event: Mapping[str, Any]) -> float:
    losses = event.get("losses")
    return number(losses.get("total")) if isinstance(losses, dict) else nan


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


@dataclass(frozen=True)
class SelfTraining:
    """A run of self-training: the settings it was started with, and how far it has come."""

    path: Path
    settings: dict[str, Any]
    finished: bool
    rounds: int

    def can_go_on(self, rounds: int) -> bool:
        """Whether it was interrupted, or had fewer rounds than are asked for.

        One that began with a structure is over.
        """
        return "structure" not in self.settings and (not self.finished or self.rounds < rounds)


def runs_beside(micrograph: Path) -> Path:
    """Where the runs about micrographs go, unless told otherwise."""
    return micrograph.absolute().parent.parent / "cryopick_runs"


def new_run(folder: Path) -> Path:
    """The first of run_1, run_2, … that is free."""
    return next(run for n in count(1) if not (run := folder / f"run_{n}").exists())


def iterations(run: Path) -> list[RunIteration]:
    """The iterations of a run that have been judged, in their order."""
    return [one for one in read_iterations(run, []) if one.judged]


def latest_self_training(folder: Path) -> SelfTraining | None:
    """The run of self-training in a folder of runs that was begun last."""
    written = {path.parent: path.stat().st_mtime_ns for path in folder.glob(f"*/{SETTINGS}")}
    for run in sorted(written, key=written.__getitem__, reverse=True):
        settings = read_settings(run, [])
        if "rounds" in settings:
            rounds = [one.number for one in iterations(run) if not one.is_ensemble]
            return SelfTraining(run, settings, is_finished(run / EVENTS), max(rounds, default=0))
    return None
