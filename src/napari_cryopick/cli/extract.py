"""`napari-cryopick extract`: micrographs and picks in, a stack of particles out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .. import api
from ..extraction import ExtractionEvent, ExtractSettings, Stack, extract_particles
from ..micrograph import Failed
from .options import Endings, JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import (
    ExitCode,
    Summary,
    echo,
    micrograph_table,
    pluralise,
    print_error,
    print_result,
    require_writable,
)


@dataclass(eq=False)
class ExtractionSummary(Summary):
    """What an extraction has made."""

    stack: Stack | None = None


def extract(
    micrographs: list[str],
    /,
    *,
    picks: Path,
    output: Path,
    settings: Annotated[ExtractSettings, Parameter(name="*")],
    endings: Endings = (),
    json: JsonFile = None,
) -> ExitCode:
    """Cut particles out of micrographs, for 2D classification in RELION or cryoSPARC.

    Particles whose box leaves the micrograph and flagged picks are left out. A micrograph that
    cannot be used is reported and the others go on; the exit code is then 3.

    Parameters
    ----------
    micrographs
        Files, folders, quoted globs or lists; RELION's micrographs_ctf.star also gives CTF values.
    picks
        Particles: .star, .csv or another format of picks.
    output
        File for the images, .mrcs; the STAR beside it has the same name.
    """
    inputs = api.extraction_input(micrographs, picks, output, endings)
    require_writable(output.parent)
    found = ExtractionSummary()
    with stop_on_interrupt() as stop:
        try:
            follow(extract_particles(*inputs, settings, output, stop), found)
        finally:
            found.show_problems()
    show(found, json)
    if stop.is_set():
        done = len(found.rows) + len(found.failed)
        return print_error(
            f"Stopped after {done} of {len(inputs[0])} micrographs.", ExitCode.STOPPED
        )
    return ExitCode.SOME_FAILED if found.failed else ExitCode.DONE


def follow(events: Iterable[ExtractionEvent], found: ExtractionSummary) -> None:
    """Show an extraction while it goes on, and collect its results."""
    with Progress("Extracting") as progress:
        for event in events:
            if isinstance(event, Stack):
                found.stack = event
                return
            path = str(event.path)
            progress.update(event.index + 1, event.total, event.path.name)
            if isinstance(event, Failed):
                found.failed.append({"path": path, "message": event.message})
                continue
            found.note(event.note, event.path)
            counts = {"particles": event.particles, "outside": event.outside}
            seconds = {"flagged": event.flagged, "seconds": round(event.seconds, 2)}
            found.rows.append({"path": path, **counts, **seconds})


def show(found: ExtractionSummary, json: Path | None) -> None:
    """Print what has been made of each micrograph, and of all."""
    stack = found.stack
    assert stack is not None
    data = {
        "output": str(stack.path),
        "star": str(stack.star),
        "particles": stack.particles,
        "size_px": stack.size,
        "pixel_size_angstrom": stack.pixel_size_angstrom,
        "micrographs": found.rows,
        "failed": found.failed,
    }
    print_result(micrograph_table(found.rows), data, json)
    outside = sum(row["outside"] for row in found.rows)
    if outside:
        echo(f"{pluralise(outside, 'particle')} left out: their boxes leave the image.")
    echo(
        f"{stack.path} holds {pluralise(stack.particles, 'particle')} of {stack.size} px at "
        f"{stack.pixel_size_angstrom:.4g} Å; their STAR is {stack.star}."
    )
    if not stack.has_ctf:
        echo(
            "Neither the picks nor the list of micrographs hold CTF values: classify without CTF "
            "correction, or give micrographs_ctf.star for the micrographs.",
            "yellow",
        )
