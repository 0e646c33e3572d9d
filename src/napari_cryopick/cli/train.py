"""`napari-cryopick train`: micrographs and some picks in, a model out."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from ..errors import CryopickError
from ..io.files import without_nan
from ..training.events import Finished, Simulating, Started, Step, TrainingEvent, Validation
from ..training.settings import TrainSettings
from .options import JsonFile
from .progress import Progress, training_input
from .terminal import ExitCode, echo, echo_command, format_number, pluralise, print_result, table


def train(
    micrographs: list[str],
    /,
    *,
    picks: Path | None = None,
    output: Path,
    settings: Annotated[TrainSettings, Parameter(name="*")],
    json: JsonFile = None,
) -> ExitCode:
    """Train a model on some picks: ten are enough to begin with. Or on a structure, without any.

    The picks may cover some of the micrographs and some of the particles; what is not picked
    counts as unknown, not as background, unless --complete says otherwise. Ctrl-C stops the
    training and keeps the best model so far.

    Parameters
    ----------
    micrographs
        Files, folders or quoted globs.
    picks
        Particles picked by hand: .star or .csv.
    output
        Folder for the run; predict takes it as --model.
    """
    if picks is None and settings.structure is None:
        raise CryopickError("There is nothing to train on; give --picks, or a --structure.")
    with training_input(micrographs, picks, output) as given:
        from ..runs import train as run_training

        run = run_training(given.micrographs, given.picks, settings, output, stop=given.stop)
        finished = follow(run)
    print_result(as_table(finished), as_data(finished), json)
    echo(f"The model is in {output}. To pick with it:")
    echo_command(*next_command(micrographs, settings, output))
    return ExitCode.STOPPED if finished.stopped else ExitCode.DONE


def follow(events: Iterable[TrainingEvent]) -> Finished:
    """Show a training run while it goes on, and return how it ended."""
    with Progress("Training") as progress:
        for event in events:
            match event:
                case Started():
                    echo(begun(event))
                case Simulating():
                    progress.update(event.done, event.total, "simulated")
                case Step():
                    progress.update(event.step, event.steps, f"loss {event.losses['total']:.3f}")
                case Validation():
                    echo(_validated(event))
                case Finished():
                    finished = event
    return finished


def begun(event: Started) -> str:
    """What a training begins with, in words."""
    return (
        f"Training {event.parameters / 1e6:.1f} M parameters on {event.device} with "
        + (
            f"{pluralise(event.training_picks, 'pick')} on "
            f"{pluralise(event.labelled_micrographs, 'micrograph')}"
            if event.labelled_micrographs
            else "simulated particles"
        )
        + (f", and {event.held_out_picks} more to judge it by." if event.held_out_picks else ".")
    )


def _validated(event: Validation) -> str:
    if isnan(event.f1):
        return (
            f"Step {event.step}: expected precision {format_number(event.expected_precision, 2)}, "
            f"recall {format_number(event.expected_recall, 2)}, by the model's own scores"
        )
    return (
        f"Step {event.step}: F1 {format_number(event.f1)}, "
        f"average precision {format_number(event.average_precision)} on held-out particles"
    )


def as_table(finished: Finished) -> Table:
    """The figures of the best model that there are."""
    shown = table("best model", "")
    for name, value in finished.metrics.items():
        if not isnan(value):
            shown.add_row(name.replace("_", " ").replace("f1", "F1"), format_number(value))
    shown.add_row("seconds of training", f"{finished.seconds:.0f}")
    return shown


def as_data(finished: Finished) -> dict[str, object]:
    """The same for a program to read."""
    return {
        "run": str(finished.run),
        "model": str(finished.model),
        "metrics": without_nan(finished.metrics),
        "stopped": finished.stopped,
        "seconds": finished.seconds,
    }


def next_command(micrographs: list[str], settings: TrainSettings, run: Path) -> list[str]:
    """The command that picks these micrographs with the model of a run."""
    sizes = ["--diameter", f"{settings.diameter_angstrom:g}"]
    if settings.pixel_size_angstrom:
        sizes += ["--pixel-size", f"{settings.pixel_size_angstrom:g}"]
    return ["predict", *micrographs, *sizes, "--model", str(run), "--output", "picks.star"]
