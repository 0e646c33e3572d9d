"""`napari-cryopick classify`: micrographs and picks in, 2D class averages out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from .. import api
from ..classification import ClassifySettings
from ..classification.events import Aligned, ClassificationEvent, Classified, Cut
from ..io.class_folder import PARTICLES, PICTURE, ClassFolder, write_classes
from ..io.files import without_nan
from ..micrograph import Failed
from .options import Endings, JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import (
    ExitCode,
    Summary,
    echo,
    format_number,
    pluralise,
    print_error,
    print_result,
    require_writable,
    table,
)


@dataclass(eq=False)
class ClassificationSummary(Summary):
    """What a classification has found."""

    result: Classified | None = None


def classify(
    micrographs: list[str],
    /,
    *,
    picks: Path,
    output: Path,
    settings: Annotated[ClassifySettings, Parameter(name="*")],
    endings: Endings = (),
    json: JsonFile = None,
) -> ExitCode:
    """Average picked particles in 2D classes, to see what was picked.

    Particles whose box of 1.5 diameters leaves the micrograph and flagged picks are left out. A
    micrograph that cannot be used is reported and the others go on; the exit code is then 3.

    Parameters
    ----------
    micrographs
        Files, folders, quoted globs or lists.
    picks
        Particles, with scores where possible: .star, .csv or another format of picks.
    output
        Folder for classes.mrcs, classes.star, classes.png, and the picks with the number of their
        class, particles.star.
    """
    from ..classification.classify import class_folder, classify_micrographs
    from ..classification.pictures import draw_classes

    names, found = api.classification_input(micrographs, picks, endings)
    require_writable(output)
    by_path = {path: found.by_micrograph[name] for path, name in names.items()}
    summary = ClassificationSummary()
    with stop_on_interrupt() as stop:
        try:
            follow(classify_micrographs(list(names), by_path, settings, stop), summary)
        finally:
            summary.show_problems()
    if summary.result is None:
        return print_error("Stopped before there were classes.", ExitCode.STOPPED)
    classes = class_folder(summary.result, names, found)
    write_classes(output, classes)
    draw_classes(output / PICTURE, classes)
    show(summary, classes, output, json)
    return ExitCode.SOME_FAILED if summary.failed else ExitCode.DONE


def follow(events: Iterable[ClassificationEvent], found: ClassificationSummary) -> None:
    """Show a classification while it goes on, and collect its results."""
    with Progress("Cutting out particles") as cutting, Progress("Classifying") as aligning:
        for event in events:
            match event:
                case Failed():
                    path = str(event.path)
                    found.failed.append({"path": path, "message": event.message})
                    cutting.update(event.index + 1, event.total, event.path.name)
                case Cut():
                    counts = {"particles": event.particles, "outside": event.outside}
                    found.rows.append({"path": str(event.path), **counts})
                    found.note(event.note, event.path)
                    cutting.update(event.index + 1, event.total, event.path.name)
                case Aligned():
                    aligning.update(event.done, event.total, "")
                case Classified():
                    found.result = event


def show(
    found: ClassificationSummary, classes: ClassFolder, output: Path, json: Path | None
) -> None:
    """Print the classes, best first."""
    rows = [as_data(classes, int(row)) for row in classes.ranking]
    data = {"output": str(output), "classes": rows}
    print_result(as_table(rows), data | {"micrographs": found.rows, "failed": found.failed}, json)
    outside = sum(row["outside"] for row in found.rows)
    if outside:
        echo(f"{pluralise(outside, 'pick')} left out: their boxes leave the image.")
    echo(
        f"The averages are in {output / PICTURE}, the picks with their class in "
        f"{output / PARTICLES}."
    )


def as_data(classes: ClassFolder, row: int) -> dict[str, Any]:
    """Return what is known of a class for JSON."""
    return without_nan(
        {
            "number": row + 1,
            "members": int(classes.members[row]),
            "expected_share": float(classes.expected_shares[row]),
            "resolution_angstrom": float(classes.resolutions_angstrom[row]),
            "verdict": str(classes.verdicts[row]),
        }
    )


def as_table(rows: Iterable[dict[str, Any]]) -> Table:
    """Return a row for each class."""
    shown = table("class", "members", "expected share", "resolution (Å)", "verdict")
    for row in rows:
        share = row["expected_share"]
        numbers = f"{row['members']:,}", format_number(float("nan") if share is None else share, 2)
        resolution = format_number(row["resolution_angstrom"], 1)
        shown.add_row(str(row["number"]), *numbers, resolution, row["verdict"])
    return shown
