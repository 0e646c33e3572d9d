"""`napari-cryopick self-train`: few picks and many micrographs in, the best of many models out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from ..io.files import without_nan
from ..training.events import (
    Finished,
    Iteration,
    PseudoLabelled,
    Simulating,
    Started,
    Step,
    TrainingEvent,
)
from ..training.settings import SelfTrainSettings
from .options import JsonFile
from .progress import Progress, training_input
from .terminal import ExitCode, echo, echo_command, format_number, pluralise, print_result, table
from .train import as_data, begun, next_command


def self_train(
    micrographs: list[str],
    /,
    *,
    picks: Path | None = None,
    output: Path,
    settings: Annotated[SelfTrainSettings, Parameter(name="*")],
    resume: bool = False,
    json: JsonFile = None,
) -> ExitCode:
    """Train a model on some picks, then let it teach better ones on all micrographs.

    After a supervised start, each round learns from your picks and from what the best model so far
    is sure of. A round is kept only if picks that took no part in it say that it is better.
    Ctrl-C stops and keeps the best model so far; --resume goes on.

    Parameters
    ----------
    micrographs
        Files, folders or quoted globs: those with picks, and as many without as you have.
    picks
        Particles picked by hand: .star or .csv.
    output
        Folder for the run; predict takes it as --model.
    resume
        Go on with the run in the output folder, or add rounds to it.
    """
    with training_input(micrographs, picks, output) as given:
        from ..runs import self_train as run_self_training

        run = run_self_training(
            given.micrographs, given.picks, settings, output, stop=given.stop, resume=resume
        )
        iterations, finished = follow_rounds(run)
    return conclude(micrographs, settings, output, iterations, finished, json)


def conclude(
    micrographs: list[str],
    settings: SelfTrainSettings,
    output: Path,
    iterations: list[Iteration],
    finished: Finished,
    json: Path | None,
) -> ExitCode:
    """Say what a run has come to, and what to do next."""
    print_result(as_table(iterations, finished), _as_data(iterations, finished), json)
    echo(finished.advice)
    echo(
        f"The best model is in {output}, and an account of the run in report.html. To pick with it:"
    )
    echo_command(*next_command(micrographs, settings, output))
    return ExitCode.STOPPED if finished.stopped else ExitCode.DONE


def follow_rounds(events: Iterable[TrainingEvent]) -> tuple[list[Iteration], Finished]:
    """Show a run while it goes on, and return what its iterations came to and how it ended."""
    iterations = []
    with Progress("Self-training") as progress:
        for event in events:
            match event:
                case Simulating():
                    progress.update(event.done, event.total, "simulated")
                case Started():
                    echo(begun(event))
                case Step():
                    progress.update(event.step, event.steps, f"loss {event.losses['total']:.3f}")
                case PseudoLabelled():
                    echo(_taught(event))
                case Iteration():
                    iterations.append(event)
                    echo(f"{_title(event)}: F1 {format_number(event.f1)}. {event.reason}")
                case Finished():
                    finished = event
    return iterations, finished


def _taught(event: PseudoLabelled) -> str:
    return (
        f"Round {event.iteration} learns from {pluralise(event.particles, 'particle')} on "
        f"{pluralise(event.micrographs, 'micrograph')} too. {event.reason}"
    )


def _title(event: Iteration) -> str:
    if event.name.endswith("ensemble"):
        return "All together"
    return f"Round {event.number}" if event.number else "Start"


def as_table(iterations: Iterable[Iteration], finished: Finished) -> Table:
    """An iteration a line, the best one marked."""
    shown = table("iteration", "F1", "AP", "threshold", "picks", "")
    for one in iterations:
        best = one.path == finished.model
        verdict = "best" if best else "kept" if one.accepted else "rolled back"
        shown.add_row(
            _title(one),
            format_number(one.f1),
            format_number(one.average_precision),
            format_number(one.threshold, 2),
            f"{one.count:,}",
            verdict,
            style="bold" if best else None,
        )
    return shown


def _as_data(iterations: Iterable[Iteration], finished: Finished) -> dict[str, Any]:
    told = [
        {
            "name": one.name,
            "f1": one.f1,
            "average_precision": one.average_precision,
            "threshold": one.threshold,
            "count": one.count,
            "accepted": one.accepted,
            "reason": one.reason,
        }
        for one in iterations
    ]
    told = [without_nan(one) for one in told]
    return {**as_data(finished), "iterations": told, "advice": finished.advice}
