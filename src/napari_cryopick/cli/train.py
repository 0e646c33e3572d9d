"""`napari-cryopick train`: micrographs and some picks in, a model out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import Field
from rich.table import Table

from ..detection.calibration import ExpectedScores
from ..errors import CryopickError
from ..io.files import without_nan
from ..runs import train as run_training
from ..runs.read import RunIteration, iterations
from ..training import events
from ..training.class_marks import ClassMarks
from ..training.events import Finished, TrainingEvent
from ..training.settings import TrainSettings
from .options import ClassOptions, Endings, JsonFile
from .progress import Progress, training_input
from .terminal import (
    ExitCode,
    echo,
    echo_command,
    format_number,
    pluralise,
    print_problems,
    print_result,
    table,
)

MEASURED = {"F1": "f1", "precision": "precision", "recall": "recall", "AP": "average_precision"}
EXPECTED = {"precision": "expected_precision", "recall": "expected_recall"}


class TrainOptions(TrainSettings):
    """The settings, with a diameter that may be 0 for unknown."""

    diameter_angstrom: float = Field(
        0, ge=0, description="Particle diameter in Å; 0 takes that of the structure."
    )


def train(
    micrographs: list[str],
    /,
    *,
    picks: Path | None = None,
    classes: Annotated[ClassOptions | None, Parameter(name="*")] = None,
    output: Path,
    settings: Annotated[TrainOptions, Parameter(name="*")] = TrainOptions(),  # noqa: B008
    endings: Endings = (),
    json: JsonFile = None,
) -> ExitCode:
    """Train a model on some picks, ten are enough to begin with, on classes, or on a structure.

    The picks may cover some of the micrographs and some of the particles; what is not picked
    counts as unknown, not as background, unless --complete says otherwise. Ctrl-C stops the
    training and keeps the best model so far.

    Parameters
    ----------
    micrographs
        Files, folders, quoted globs or lists.
    picks
        Particles picked by hand: .star or .csv.
    output
        Folder for the run; predict takes it as --model.
    """
    marks = classes.marks if classes else None
    if picks is None and marks is None and settings.structure is None:
        raise CryopickError(
            "There is nothing to train on; give --picks, --classes or a --structure."
        )
    return run_to_end("Training", micrographs, picks, marks, output, settings, json, endings)


def run_to_end(
    title: str,
    micrographs: Sequence[str],
    picks: Path | None,
    marks: ClassMarks | None,
    output: Path,
    settings: TrainOptions,
    json: Path | None,
    endings: Sequence[str] = (),
    resume: bool = False,
) -> ExitCode:
    """Run a training, show it while it goes on, then its results and what to do next."""
    chosen = with_diameter(settings)
    inputs = training_input(micrographs, picks, output, endings, marks)
    with inputs as (paths, matched, stop), Progress(title) as progress:
        run = run_training(paths, matched, chosen, output, stop=stop, resume=resume)
        *_, finished = (show(event, progress) for event in run)
    assert isinstance(finished, Finished)
    found = iterations(output)
    print_result(as_table(found), as_data(found, finished), json)
    echo(finished.advice)
    if (output / "report.html").is_file():
        echo(f"A report of the run is in {output / 'report.html'}.")
    echo(f"The best model is in {output}. To pick with it:")
    sizes = ["--diameter", f"{chosen.diameter_angstrom:g}"]
    if chosen.pixel_size_angstrom:
        sizes += ["--pixel-size", f"{chosen.pixel_size_angstrom:g}"]
    model = ["--model", str(output), "--output", "picks.star"]
    echo_command("predict", *micrographs, *sizes, *model)
    return ExitCode.STOPPED if finished.stopped else ExitCode.DONE


def with_diameter(settings: TrainOptions) -> TrainOptions:
    """Return the settings with the diameter of their structure if none was given."""
    if settings.diameter_angstrom:
        return settings
    if settings.structure is None:
        raise CryopickError("The particle diameter is not known; give --diameter.")
    from ..pretraining.structure import diameter_of

    across = diameter_of(settings.structure)
    echo(f"{settings.structure.name} is {across:.0f} Å across; to change that, give --diameter.")
    return settings.model_copy(update={"diameter_angstrom": across})


def show(event: TrainingEvent, progress: Progress) -> TrainingEvent:
    """Show one event of a training."""
    match event:
        case events.LeftOut():
            unused = pluralise(len(event.messages), "unlabelled micrograph")
            print_problems(f"{unused} could not be used", event.messages)
        case events.Simulating():
            progress.update(event.done, event.total, "simulated")
        case events.Step():
            progress.update(event.step, event.steps, f"loss {event.losses['total']:.3f}")
        case events.Started():
            echo(_started(event))
        case events.Validation() if validated := _validated(event):
            echo(f"Step {event.step}: {validated}")
        case events.PseudoLabelled():
            labels = pluralise(event.particles, "pseudo-label")
            where = pluralise(event.micrographs, "micrograph")
            echo(f"Round {event.iteration} also trains on {labels} on {where}. {event.reason}")
        case events.Iteration() if event.number:
            echo(event.reason)
    return event


def _started(event: events.Started) -> str:
    labels = "without picks"
    if event.labelled_micrographs:
        where = pluralise(event.labelled_micrographs, "micrograph")
        labels = f"with {pluralise(event.training_picks, 'pick')} on {where}"
    if event.held_out_picks:
        labels += f", and {event.held_out_picks} more held out"
    return f"Training {event.parameters / 1e6:.1f} M parameters on {event.device} {labels}."


def _validated(event: events.Validation) -> str:
    if isnan(event.f1):
        expected = ExpectedScores(event.expected_precision, event.expected_recall)
        return f"{expected} (from the scores)" if expected.known else ""
    f1, average_precision = map(format_number, (event.f1, event.average_precision))
    return f"F1 {f1}, average precision {average_precision} on held-out particles"


def as_table(found: Sequence[RunIteration]) -> Table:
    """Return a row for each iteration; what was not measured on labels is expected from scores."""
    measured = any(not isnan(one.f1) for one in found)
    expected = any(not isnan(one.expected_precision) for one in found)
    figures = MEASURED if measured else EXPECTED if expected else {}
    shown = table("model", *figures, "threshold", "picks", "")
    shown.title = "on held-out labels" if measured else "expected from the scores" * expected
    for one in found:
        values = [format_number(getattr(one, name)) for name in (*figures.values(), "threshold")]
        verdict = "best" if one.best else "kept" if one.accepted else "not kept"
        shown.add_row(one.title, *values, f"{one.count or 0:,}", verdict)
    return shown


def as_data(found: Sequence[RunIteration], finished: Finished) -> dict[str, object]:
    """Return the results for JSON."""
    fields = {"reason", "threshold", "count", "accepted", *MEASURED.values(), *EXPECTED.values()}
    results = [
        {"name": one.path.name, **without_nan(one.model_dump(include=fields))} for one in found
    ]
    paths = {"run": str(finished.run), "model": str(finished.model), "iterations": results}
    return without_nan(asdict(finished)) | paths
