"""`napari-cryopick simulate`: structures in, micrographs with known particles out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from ..errors import CryopickError
from ..simulation.settings import SimulationSettings
from ..simulation.simulate import MicrographWritten
from .options import JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import ExitCode, echo, pluralise, print_result, require_writable, table


def simulate(
    structures: list[Path] | None = None,
    /,
    *,
    output: Path,
    settings: Annotated[SimulationSettings, Parameter(name="*")] = SimulationSettings(),  # noqa: B008
    json: JsonFile = None,
) -> ExitCode:
    """Simulate micrographs of one or several structures.

    Writes micrographs, the true centres of their particles, masks of particles and contamination,
    and all settings. Particles at the border or on contamination are left out of the STAR file.
    Where an option takes two values, each micrograph has its own value between them.

    Parameters
    ----------
    structures
        Atomic models (.pdb, .cif) or density maps (.mrc, .map), also with .gz.
    output
        Folder for everything.
    """
    if (output / "particles.star").exists():
        raise CryopickError(f"{output} holds a simulation; delete it, or choose another --output.")
    from ..simulation.simulate import load_particles
    from ..simulation.simulate import simulate as run_simulation

    models = load_particles(structures or [], settings)
    require_writable(output)
    for model in models:
        echo(f"{model.name}: {model.diameter_angstrom:.0f} Å across.")
    with stop_on_interrupt() as stop:
        made = follow(run_simulation(models, settings, output, stop))
    print_result(as_table(made), as_data(made, output), json)
    echo(f"{output} holds micrographs, particles.star, masks and settings.yaml.")
    return ExitCode.STOPPED if stop.is_set() else ExitCode.DONE


def follow(events: Iterable[MicrographWritten]) -> list[MicrographWritten]:
    """Show a simulation while it goes on, and return its events."""
    made = []
    with Progress("Simulating") as progress:
        for event in events:
            made.append(event)
            progress.update(event.index + 1, event.total, event.path.name)
    return made


def as_table(made: list[MicrographWritten]) -> Table:
    """Return one row for all micrographs."""
    shown = table("", "particles", "flagged", "seconds")
    shown.add_row(
        pluralise(len(made), "micrograph"),
        f"{sum(one.particles for one in made)}",
        f"{sum(one.flagged for one in made)}",
        f"{sum(one.seconds for one in made):.1f}",
    )
    return shown


def as_data(made: Iterable[MicrographWritten], output: Path) -> dict[str, object]:
    """Return the results for JSON."""
    return {
        "output": str(output),
        "micrographs": [
            {"path": str(one.path), "particles": one.particles, "flagged": one.flagged}
            for one in made
        ],
    }
