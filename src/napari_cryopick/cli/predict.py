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
from ..picks import Picks, PickSet, Status, common_value
from .options import JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import ExitCode, echo, pluralise, print_error, print_result, require_writable, table

LONGEST_TABLE = 30
"""Micrographs up to which each has its row: about what a terminal shows at once."""


class PredictOptions(PredictSettings):
    """The settings, with a diameter that may be 0 for unknown."""

    diameter_angstrom: float = Field(0, ge=0, description="Particle diameter in Å; 0 estimates it.")


@dataclass(frozen=True)
class PredictionSummary:
    """What is kept of a predicted micrograph, without its maps, which would fill the memory."""

    path: Path
    pixel_size_angstrom: float | None
    picks: Picks
    particles: float
    seconds: float

    @property
    def good(self) -> Picks:
        """The picks that are neither at the border nor on contamination."""
        return self.picks.with_status(Status.OK)

    @property
    def flagged(self) -> int:
        """How many other picks there are."""
        return len(self.picks) - len(self.good)


def predict(
    micrographs: list[str],
    /,
    *,
    output: Path,
    settings: Annotated[PredictOptions, Parameter(name="*")] = PredictOptions(),  # noqa: B008
    json: JsonFile = None,
) -> ExitCode:
    """Find the particles in micrographs.

    Picks at the border or on contamination are flagged and left out of a STAR file. A micrograph
    that cannot be used is reported and the others go on; the exit code is then 3.

    Parameters
    ----------
    micrographs
        Files, folders or quoted globs.
    output
        File for the picks, .star or .csv; or a folder for one STAR file per micrograph, as
        RELION's particle extraction reads them.
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
        summaries, failed = follow(predict_many(paths, sized, stop))
    if summaries:
        save(summaries, sized, output)
        print_result(as_table(summaries), as_data(summaries, failed, output), json)
        echo(f"At this threshold the scores suggest: {expected_scores(summaries)}.")
        echo(f"The picks are in {output}.")
    if failed:
        print_error(f"{pluralise(len(failed), 'micrograph')} could not be used; see above.")
    if stop.is_set():
        done = len(summaries) + len(failed)
        return print_error(f"Stopped after {done} of {len(paths)} micrographs.", ExitCode.STOPPED)
    if failed:
        return ExitCode.SOME_FAILED if summaries else ExitCode.FAILED
    return ExitCode.DONE


def with_diameter(
    options: PredictOptions, paths: Sequence[Path], stop: Event
) -> PredictOptions | None:
    """Return the settings with an estimated diameter if none was given; None if stopped."""
    if options.diameter_angstrom:
        return options
    from ..detection.diameter import estimate_diameter

    size, device = options.pixel_size_angstrom, options.device
    with Progress("Estimating the diameter") as progress:
        for event in estimate_diameter(paths, options.model, size, device, stop):
            if isinstance(event, DiameterResult):
                echo(
                    f"The particles seem to be about {event.angstrom:.0f} Å across; "
                    "if you know better, give --diameter."
                )
                return options.model_copy(update={"diameter_angstrom": round(event.angstrom, 1)})
            progress.update(event.index + 1, event.total, f"{event.diameter_angstrom:.0f} Å")
    return None


def follow(events: Iterable[PredictionEvent]) -> tuple[list[PredictionSummary], list[Failed]]:
    """Show a prediction run while it goes on, and collect its results."""
    summaries, failed = [], []
    with Progress("Picking") as progress:
        for event in events:
            if isinstance(event, Predicted):
                size = event.micrograph.pixel_size_angstrom
                summaries.append(
                    PredictionSummary(event.path, size, event.picks, event.particles, event.seconds)
                )
            else:
                failed.append(event)
                print_error(event.message)
            progress.update(event.index + 1, event.total, event.path.name)
    return summaries, failed


def save(summaries: Iterable[PredictionSummary], settings: PredictSettings, output: Path) -> None:
    """Write the picks, with the pixel size where all micrographs share one."""
    from ..io import write_picks

    by_micrograph = {str(one.path): one.picks for one in summaries}
    size = common_value(one.pixel_size_angstrom for one in summaries)
    diameter = settings.diameter_angstrom
    write_picks(output, PickSet(by_micrograph, size, diameter_angstrom=diameter))


def expected_scores(summaries: Sequence[PredictionSummary]) -> ExpectedScores:
    """Return the precision and recall that the scores suggest for the good picks."""
    kept = np.concatenate([one.good.scores for one in summaries])
    return ExpectedScores.of(kept, sum(one.particles for one in summaries))


def as_table(summaries: Sequence[PredictionSummary]) -> Table:
    """Return a row for each micrograph, unless there are many, and one for all."""
    shown = table("micrograph", "picks", "flagged", "seconds")
    for one in summaries if len(summaries) <= LONGEST_TABLE else ():
        shown.add_row(one.path.name, f"{len(one.good)}", f"{one.flagged}", f"{one.seconds:.2f}")
    shown.add_section()
    shown.add_row(
        pluralise(len(summaries), "micrograph"),
        f"{sum(len(one.good) for one in summaries)}",
        f"{sum(one.flagged for one in summaries)}",
        f"{sum(one.seconds for one in summaries):.2f}",
    )
    return shown


def as_data(
    summaries: Sequence[PredictionSummary], failed: Iterable[Failed], output: Path
) -> dict[str, object]:
    """Return the results for JSON."""
    return {
        "output": str(output),
        "expected": without_nan(asdict(expected_scores(summaries))),
        "micrographs": [
            {
                "path": str(one.path),
                "picks": len(one.good),
                "flagged": one.flagged,
                "seconds": one.seconds,
            }
            for one in summaries
        ],
        "failed": [{"path": str(one.path), "message": one.message} for one in failed],
    }
