"""`napari-cryopick models teach`: from simulated micrographs to a general model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..pretraining.settings import GeneralSettings
from ..training.events import Step, TrainingEvent, Validation
from .progress import Progress, stop_on_interrupt
from .terminal import ExitCode, echo, format_number, require_writable


def teach(
    file: Path,
    structures: list[Path] | None = None,
    /,
    *,
    settings: Annotated[GeneralSettings, Parameter(name="*")] = GeneralSettings(),  # noqa: B008
) -> ExitCode:
    """Teach a new general model on simulated micrographs; the released one was made so.

    Takes about 50 minutes on two cores. Ctrl-C stops it and saves what has been learnt.

    Parameters
    ----------
    file
        File of the model, .safetensors.
    structures
        Atomic models or density maps to learn from, too; without any all particles are invented.
    """
    from ..pretraining.general import train_general
    from ..simulation.micrographs import read_body
    from ..simulation.settings import MicrographSettings

    require_writable(file.parent)
    bodies = [read_body(path, MicrographSettings()) for path in structures or []]
    with stop_on_interrupt() as stop:
        follow(train_general(bodies, settings, file, stop))
    return ExitCode.STOPPED if stop.is_set() else ExitCode.DONE


def follow(events: Iterable[TrainingEvent]) -> None:
    """Show the training while it goes on."""
    with Progress("Teaching") as progress:
        for event in events:
            match event:
                case Step():
                    progress.update(event.step, event.steps, f"loss {event.losses['total']:.3f}")
                case Validation():
                    echo(
                        f"On simulated particles never seen: F1 {format_number(event.f1)}, "
                        f"average precision {format_number(event.average_precision)}."
                    )
