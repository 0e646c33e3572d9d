"""`napari-cryopick predict`: micrographs in, picks out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray
from pydantic import Field

from ..classification import CANDIDATE, ClassifySettings
from ..detection import PredictSettings
from ..detection.calibration import ExpectedScores, best_threshold
from ..detection.events import DiameterResult, PredictionEvent, describe_margins
from ..errors import CryopickError
from ..io import find_micrographs, pick_format, write_picks
from ..io.files import without_nan
from ..micrograph import Failed
from ..picks import Picks, PickSet, Status, common_value
from .classify import ClassificationSummary
from .classify import follow as follow_classes
from .options import JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import (
    ExitCode,
    Summary,
    echo,
    micrograph_table,
    print_error,
    print_result,
    require_writable,
)


class PredictOptions(PredictSettings):
    """The settings, with a diameter that may be 0 for unknown."""

    diameter_angstrom: float = Field(0, ge=0, description="Particle diameter in Å; 0 estimates it.")
    refine: bool = Field(False, description="Refine the scores by 2D class averages.")


@dataclass(eq=False)
class PredictionSummary(Summary):
    """What is kept of a prediction run, without its maps, which would fill the memory."""

    picks: dict[str, Picks] = field(default_factory=dict)
    pixel_sizes: list[float | None] = field(default_factory=list)
    margins_px: list[tuple[int, ...] | None] = field(default_factory=list)
    scores: list[NDArray[np.float64]] = field(default_factory=list)
    kept: list[NDArray[np.bool_]] = field(default_factory=list)
    offset_sd: float = 0.0
    threshold: float = 0.0

    def replace_picks(self, picks: Mapping[Path, Picks], threshold: float) -> None:
        """Replace all picks by those of other scores that reach a threshold."""
        for i, (row, path) in enumerate(zip(self.rows, self.picks, strict=True)):
            table = picks[Path(path)]
            self.picks[path] = kept = table[table.scores >= threshold]
            good = len(kept.with_status(Status.OK))
            row |= {"picks": good, "flagged": len(kept) - good}
            self.scores[i] = table.with_status(Status.OK).scores
            self.kept[i] = self.scores[i] >= threshold


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
        Files, folders, quoted globs or lists.
    output
        File for the picks, .star or .csv; or a folder for one STAR file per micrograph, as
        RELION's particle extraction reads them.
    """
    paths = find_micrographs(micrographs)
    pick_format(output)
    require_writable(output.parent)
    with stop_on_interrupt() as stop:
        from ..detection.predict import predict_many

        sized = with_diameter(settings, paths, stop)
        if sized is None:
            return print_error("Stopped before the diameter was estimated.", ExitCode.STOPPED)
        found = follow(predict_many(paths, candidates(sized), stop))
        if sized.refine and found.picks and not stop.is_set():
            refine_scores(found, sized, stop)
    if found.picks:
        save(found, sized.diameter_angstrom, output, json)
    found.show_problems()
    if stop.is_set():
        done = len(found.rows) + len(found.failed)
        return print_error(f"Stopped after {done} of {len(paths)} micrographs.", ExitCode.STOPPED)
    if found.failed:
        return ExitCode.SOME_FAILED if found.picks else ExitCode.FAILED
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


def candidates(options: PredictOptions) -> PredictOptions:
    """Return the settings with a threshold that leaves enough picks to classify."""
    if not options.refine:
        return options
    lowest = CANDIDATE if options.threshold is None else min(CANDIDATE, options.threshold)
    return options.model_copy(update={"threshold": lowest})


def refine_scores(found: PredictionSummary, options: PredictOptions, stop: Event) -> None:
    """Refine the scores by class averages, and keep the picks that then reach the threshold."""
    from ..classification.classify import classify_micrographs
    from ..classification.refine import refine

    picks = {Path(path): table for path, table in found.picks.items()}
    sizes = options.model_dump(include=set(ClassifySettings.model_fields))
    classes = ClassificationSummary()
    try:
        settings = ClassifySettings.model_validate(sizes)
        follow_classes(classify_micrographs(list(picks), picks, settings, stop), classes)
    except CryopickError as error:
        echo(f"The scores stay as they are. {error}")
    threshold = found.threshold
    if classes.result is not None:
        refined = refine(picks, classes.result)
        if refined is None:
            echo("No class average shows a shape; the scores stay as they are.")
        else:
            picks = refined
            scores = [table.with_status(Status.OK).scores for table in picks.values()]
            threshold = best_threshold(np.concatenate(scores))
    found.replace_picks(picks, threshold if options.threshold is None else options.threshold)


def follow(events: Iterable[PredictionEvent]) -> PredictionSummary:
    """Show a prediction run while it goes on, and collect its results."""
    found = PredictionSummary()
    with Progress("Picking") as progress:
        for event in events:
            path = str(event.path)
            progress.update(event.index + 1, event.total, event.path.name)
            if isinstance(event, Failed):
                found.failed.append({"path": path, "message": event.message})
                continue
            found.note(event.micrograph.note, event.path)
            good, seconds = len(event.picks.with_status(Status.OK)), round(event.seconds, 2)
            numbers = {"picks": good, "flagged": len(event.picks) - good, "seconds": seconds}
            found.rows.append({"path": path, **numbers})
            found.picks[path] = event.picks
            found.pixel_sizes.append(event.micrograph.pixel_size_angstrom)
            found.margins_px.append(event.margins_px)
            found.scores.append(event.scores)
            found.kept.append(np.arange(len(event.scores)) < good)
            found.offset_sd, found.threshold = event.offset_sd, event.threshold
    return found


def save(found: PredictionSummary, diameter: float, output: Path, json: Path | None) -> None:
    """Write the picks and print what was found."""
    size = common_value(found.pixel_sizes)
    write_picks(output, PickSet(found.picks, size, diameter_angstrom=diameter))
    scores, kept = np.concatenate(found.scores), np.concatenate(found.kept)
    expected = ExpectedScores.of(scores, kept, found.offset_sd)
    data = {"output": str(output), "expected": without_nan(asdict(expected))}
    margins = zip(found.rows, found.margins_px, strict=True)
    micrographs = [{**row, "margins_px": depths} for row, depths in margins]
    rows = {"micrographs": micrographs, "failed": found.failed}
    print_result(micrograph_table(found.rows), data | rows, json)
    if any(found.margins_px):
        echo(describe_margins(found.margins_px))
    echo(f"At this threshold, {expected}.")
    echo(f"The picks are in {output}.")
