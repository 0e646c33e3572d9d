"""`napari-cryopick ablate`: what each part of the training is worth, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from ..training.ablation.events import AblationEvent, Scored, Tabulated, Training
from ..training.ablation.scores import FIGURES
from ..training.ablation.settings import AblationSettings
from ..training.ablation.tables import Line
from .options import JsonFile
from .progress import Progress, training_input
from .terminal import ExitCode, echo, format_number, print_result, table

SHORT = {
    "pixel_iou": "IoU",
    "pixel_roc_auc": "AUC",
    "particle_f1": "picks F1",
    "average_precision": "AP",
}


def ablate(
    micrographs: list[str],
    /,
    *,
    picks: Path,
    output: Path,
    settings: Annotated[AblationSettings, Parameter(name="*")],
    json: JsonFile = None,
) -> ExitCode:
    """Measure what each part of the training is worth.

    Trains with one part more from row to row (loss, thresholds, augmentation, rounds of
    self-training), over several random splits of the annotated micrographs, and tests each model
    on micrographs that no training has seen. The same command goes on where it was stopped.

    Parameters
    ----------
    micrographs
        Files, folders or quoted globs.
    picks
        Every particle of the annotated micrographs: .star or .csv.
    output
        Folder for the models, the figures and the tables.
    """
    with training_input(micrographs, picks, output) as given:
        from ..training.ablation.run import ablate as run_ablation

        end = follow(run_ablation(given.micrographs, given.picks, settings, output, given.stop))
    print_result(as_table(end.lines), as_data(end), json)
    echo(f"The tables are in {output}: ablation.md, ablation.csv and ablation.tex.")
    if end.stopped:
        echo("Stopped; the same command goes on from here.")
        return ExitCode.STOPPED
    return ExitCode.DONE


def follow(events: Iterable[AblationEvent]) -> Tabulated:
    """Show an ablation while it goes on, and return how it ended."""
    with Progress("Training") as progress:
        for event in events:
            match event:
                case Training():
                    percent = 100 * event.job + 100 * event.step // event.steps
                    note = f"seed {event.seed}, {event.training}"
                    progress.update(percent, 100 * event.jobs, note)
                case Scored():
                    echo(_scored(event))
                case Tabulated():
                    end = event
    return end


def _scored(event: Scored) -> str:
    where = f"Seed {event.seed}, {event.row.name.removeprefix('+ ')}"
    if event.pixel_f1 is None:
        return f"{where}: no such model came of the run."
    known = ", known from before" if event.reused else ""
    return f"{where}: pixel F1 {100 * event.pixel_f1:.1f} %{known}"


def as_table(lines: list[Line]) -> Table:
    """Means in per cent, pixel F1 beside what was published; the files hold all ranges."""
    first, *others = FIGURES
    shown = table("", "pixel F1", "published", *(SHORT[name] for name in others))
    for line in lines:
        shown.add_row(
            line.name,
            _mean(line, first),
            line.published_as_text,
            *(_mean(line, name) for name in others),
        )
    return shown


def _mean(line: Line, name: str) -> str:
    return format_number(line.figures[name].mean if name in line.figures else nan, 1)


def as_data(end: Tabulated) -> dict[str, object]:
    """The same for a program to read."""
    return {
        "output": str(end.folder),
        "stopped": end.stopped,
        "rows": [
            {
                "name": line.name,
                "seeds": line.seeds,
                "published_pixel_f1": line.published,
                **{name: vars(spread) for name, spread in line.figures.items()},
            }
            for line in end.lines
        ],
    }
