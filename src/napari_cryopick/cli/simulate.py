"""`napari-cryopick simulate`: structures in, micrographs with known particles out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..errors import CryopickError
from ..simulation.settings import SimulationSettings
from .options import JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import ExitCode, echo, micrograph_table, print_result, require_writable


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

    models, rows = load_particles(structures or [], settings), []
    require_writable(output)
    for model in models:
        echo(f"{model.name}: {model.diameter_angstrom:.0f} Å across.")
    with stop_on_interrupt() as stop, Progress("Simulating") as progress:
        for made in run_simulation(models, settings, output, stop):
            counts = {"particles": made.particles, "flagged": made.flagged}
            rows.append({"path": str(made.path), **counts, "seconds": round(made.seconds, 2)})
            progress.update(made.index + 1, made.total, made.path.name)
    print_result(micrograph_table(rows), {"output": str(output), "micrographs": rows}, json)
    echo(f"{output} holds micrographs, particles.star, masks and settings.yaml.")
    return ExitCode.STOPPED if stop.is_set() else ExitCode.DONE
