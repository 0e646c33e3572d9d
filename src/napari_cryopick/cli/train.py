"""`napari-cryopick train`: micrographs and some picks in, a model out."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import Field
from rich.table import Table

from ..errors import CryopickError
from ..io.files import without_nan
from ..pretraining.settings import TrainOptions
from ..training.events import Finished, Started, Step, TrainingEvent, Validation
from ..training.settings import TrainSettings
from .options import JsonFile
from .progress import Progress, training_input
from .terminal import ExitCode, echo, echo_command, format_number, pluralise, print_result, table


class Options(TrainOptions):
    """The settings, of which a structure makes the diameter dispensable."""

    diameter_angstrom: float | None = Field(  # type: ignore[assignment]
        None, gt=0, description="Particle diameter in Å; that of the structure if left out."
    )


def train(
    micrographs: list[str],
    /,
    *,
    picks: Path | None = None,
    structure: Path | None = None,
    output: Path,
    settings: Annotated[Options, Parameter(name="*")] = Options(),  # noqa: B008
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
    structure
        Atomic model (.pdb, .cif) or density map (.mrc, .map): micrographs of it are simulated and
        teach a start, which then teaches itself on your micrographs.
    output
        Folder for the run; predict takes it as --model.
    """
    if structure is not None:
        return _from_structure(micrographs, picks, structure, output, settings, json)
    if picks is None:
        raise CryopickError("There is nothing to learn from; give --picks, or a --structure.")
    if settings.diameter_angstrom is None:
        raise CryopickError("How large the particles are is not known; give --diameter.")
    chosen = settings.from_picks()
    with training_input(micrographs, picks, output) as given:
        from ..training.supervised import train as run_training

        run = run_training(given.micrographs, given.picks, chosen, output, stop=given.stop)
        finished = follow(run)
    print_result(as_table(finished, settings.complete), as_data(finished), json)
    echo(f"The model is in {output}. To pick with it:")
    echo_command(*next_command(micrographs, settings, output))
    return ExitCode.STOPPED if finished.stopped else ExitCode.DONE


def _from_structure(
    micrographs: list[str],
    picks: Path | None,
    structure: Path,
    output: Path,
    options: Options,
    json: JsonFile,
) -> ExitCode:
    """Simulate the particle, train on that, and self-train."""
    from .self_train import conclude, follow_rounds

    if picks is not None:
        raise CryopickError(
            "Either --picks or a --structure teaches; to use both, train on the structure first "
            "and then on the picks, --from that run."
        )
    chosen = sized(options, structure).from_structure(structure)
    with training_input(micrographs, None, output) as given:
        from ..pretraining.structure import train_from_structure

        echo(f"Simulating {pluralise(chosen.lessons, 'micrograph')} of {structure.name}.")
        run = train_from_structure(given.micrographs, chosen, output, given.stop)
        iterations, finished = follow_rounds(run)
    return conclude(micrographs, chosen, output, iterations, finished, json)


def sized(options: Options, structure: Path) -> Options:
    """The same, as large as the structure unless a diameter is given."""
    if options.diameter_angstrom is not None:
        return options
    from ..pretraining.structure import diameter_of

    across = diameter_of(structure)
    echo(f"{structure.name} is {across:.0f} Å across; --diameter goes before that.")
    return options.model_copy(update={"diameter_angstrom": across})


def follow(events: Iterable[TrainingEvent]) -> Finished:
    """Show a training run while it goes on, and return how it ended."""
    with Progress("Training") as progress:
        for event in events:
            match event:
                case Started():
                    echo(begun(event))
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
    if not event.complete:
        return (
            f"Step {event.step}: F1 about {format_number(event.f1, 2)}, "
            "estimated from incomplete labels"
        )
    return (
        f"Step {event.step}: F1 {format_number(event.f1)}, "
        f"average precision {format_number(event.average_precision)} on held-out particles"
    )


def as_table(finished: Finished, measured: bool) -> Table:
    """The figures of the best model that there are."""
    shown = table("best model", "measured" if measured else "estimated")
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
