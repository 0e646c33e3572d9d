"""`napari-cryopick predict`: micrographs in, picks out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from pydantic import Field
from rich.table import Table

from ..detection.calibration import ExpectedScores
from ..detection.events import DiameterResult, Failed, Predicted, PredictionEvent
from ..detection.settings import PredictSettings
from ..io.files import without_nan
from ..picks import Picks, Status
from .options import JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import ExitCode, echo, pluralise, print_error, print_result, require_writable, table

LONGEST_TABLE = 30


class PredictOptions(PredictSettings):
    """The settings, of which the diameter may be left out."""

    diameter_angstrom: float | None = Field(  # type: ignore[assignment]
        None, gt=0, description="Particle diameter in Å; estimated if left out."
    )


def predict(
    micrographs: list[str],
    /,
    *,
    output: Path,
    settings: Annotated[PredictOptions, Parameter(name="*")] = PredictOptions(),  # noqa: B008
    json: JsonFile = None,
) -> ExitCode:
    """Find the particles in micrographs.

    Picks at the border or on contamination are flagged and left out of a STAR. A micrograph
    that cannot be used is reported and the others go on; the exit code is then 3.

    Parameters
    ----------
    micrographs
        Files, folders or quoted globs.
    output
        File for the picks, .star or .csv; or a folder, filled as RELION's extraction wants it.
    """
    from ..io import find_micrographs, pick_format

    paths = find_micrographs(micrographs)
    pick_format(output)
    require_writable(output.parent)
    with stop_on_interrupt() as stop:
        from ..detection.predict import predict_many

        sized = with_diameter(settings, paths, stop)
        if sized is None:
            return print_error("Stopped before the diameter was estimated.", ExitCode.STOPPED)
        picked, failed = follow(predict_many(paths, sized, stop))
    if picked:
        save(picked, sized, output)
        print_result(as_table(picked), as_data(picked, failed, output), json)
        echo(f"{str(expected_scores(picked)).capitalize()} at this threshold, if the scores hold.")
        echo(f"The picks are in {output}.")
    if failed:
        print_error(f"{pluralise(len(failed), 'micrograph')} could not be picked, as told above.")
    if stop.is_set():
        return print_error(
            f"Stopped after {len(picked) + len(failed)} of {pluralise(len(paths), 'micrograph')}.",
            ExitCode.STOPPED,
        )
    if failed:
        return ExitCode.SOME_FAILED if picked else ExitCode.FAILED
    return ExitCode.DONE


def with_diameter(
    options: PredictOptions, paths: Sequence[Path], stop: Event
) -> PredictSettings | None:
    """The settings, with an estimated diameter if none was given; None if that was stopped."""
    given = options.model_dump(exclude_none=True)
    if options.diameter_angstrom is not None:
        return PredictSettings(**given)
    estimate = estimated(options, paths, stop)
    if estimate is None:
        return None
    echo(
        f"Particles seem to be about {estimate.angstrom:.0f} Å across; "
        "give --diameter if you know better."
    )
    return PredictSettings(**given, diameter_angstrom=round(estimate.angstrom, 1))


def estimated(options: PredictOptions, paths: Sequence[Path], stop: Event) -> DiameterResult | None:
    """Estimate the diameter, shown while it goes on; None if it was stopped."""
    from ..detection.diameter import estimate_diameter

    size, device = options.pixel_size_angstrom, options.device
    with Progress("Estimating the diameter") as progress:
        for event in estimate_diameter(paths, options.model, size, device, stop):
            if isinstance(event, DiameterResult):
                return event
            progress.update(event.index + 1, event.total, f"{event.diameter_angstrom:.0f} Å")
    return None


@dataclass(frozen=True)
class Picked:
    """What is kept of a predicted micrograph: its maps would fill the memory."""

    path: Path
    pixel_size_angstrom: float | None
    picks: Picks
    particles: float
    seconds: float

    @classmethod
    def of(cls, event: Predicted) -> Picked:
        return cls(
            event.path,
            event.micrograph.pixel_size_angstrom,
            event.picks,
            event.particles,
            event.seconds,
        )

    @property
    def good(self) -> int:
        return len(self.picks.with_status(Status.OK))

    @property
    def flagged(self) -> int:
        return len(self.picks) - self.good


def follow(events: Iterable[PredictionEvent]) -> tuple[list[Picked], list[Failed]]:
    """Show a prediction run while it goes on, and collect what comes of it."""
    picked, failed = [], []
    with Progress("Picking") as progress:
        for event in events:
            if isinstance(event, Failed):
                failed.append(event)
                print_error(event.message)
            else:
                picked.append(Picked.of(event))
            progress.update(event.index + 1, event.total, event.path.name)
    return picked, failed


def save(picked: Iterable[Picked], settings: PredictSettings, output: Path) -> None:
    """Write the picks, with the pixel size where all micrographs share one."""
    from ..io import PickSet, write_picks

    by_micrograph = {str(one.path): one.picks for one in picked}
    sizes = {one.pixel_size_angstrom for one in picked}
    picks = PickSet(
        by_micrograph,
        pixel_size_angstrom=sizes.pop() if len(sizes) == 1 else None,
        diameter_angstrom=settings.diameter_angstrom,
    )
    write_picks(output, picks)


def expected_scores(picked: Iterable[Picked]) -> ExpectedScores:
    """Return what the scores let expect of the good picks."""
    kept = [one.picks.with_status(Status.OK).scores for one in picked]
    return ExpectedScores.of(np.concatenate(kept), sum(one.particles for one in picked))


def as_table(picked: list[Picked]) -> Table:
    """One row for each micrograph, unless they are many, and one for all."""
    shown = table("micrograph", "picks", "flagged", "seconds")
    for one in picked if len(picked) <= LONGEST_TABLE else ():
        shown.add_row(one.path.name, f"{one.good}", f"{one.flagged}", f"{one.seconds:.2f}")
    shown.add_section()
    shown.add_row(
        pluralise(len(picked), "micrograph"),
        f"{sum(one.good for one in picked)}",
        f"{sum(one.flagged for one in picked)}",
        f"{sum(one.seconds for one in picked):.2f}",
    )
    return shown


def as_data(picked: list[Picked], failed: Iterable[Failed], output: Path) -> dict[str, object]:
    """The same for a program to read."""
    return {
        "output": str(output),
        "expected": without_nan(asdict(expected_scores(picked))),
        "micrographs": [
            {
                "path": str(one.path),
                "picks": one.good,
                "flagged": one.flagged,
                "seconds": one.seconds,
            }
            for one in picked
        ],
        "failed": [{"path": str(one.path), "message": one.message} for one in failed],
    }
