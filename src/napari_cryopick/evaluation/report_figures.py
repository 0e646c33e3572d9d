"""The figures of a run's report; one that fails costs itself alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..errors import CryopickError
from ..io import read_micrograph
from .changes import Change, changes
from .charts import draw_losses, draw_score_histograms, draw_scores_of_iterations, to_svg
from .pictures import DPI, draw_change
from .run_data import RunData, RunIteration

MOST_PICTURES = 3


@dataclass(frozen=True)
class ReportFigure:
    """A figure as an HTML element, or one sentence in its place.

    Attributes
    ----------
    caption, html
        What it shows, and the figure.
    problem
        Which figure could not be drawn, and why; empty if all went well.
    """

    caption: str = ""
    html: str = ""
    problem: str = ""


def draw_curves(run: RunData) -> list[ReportFigure]:
    """The loss, the figures of the iterations and the scores of the picks, where there are any."""
    figures = []
    if run.log.losses:
        parts = "; dashed lines part the iterations" if len(run.log.ends) > 1 else ""
        caption = f"Loss against optimiser steps, smoothed{parts}."
        draw: Callable[[], Figure] = partial(draw_losses, run.log.losses, run.log.ends)
        figures.append(_chart("The loss", caption, draw))
    if sum(not np.isnan(one.f1) for one in run.iterations) > 1:
        draw = partial(draw_scores_of_iterations, run.iterations)
        figures.append(_chart("The figures of the iterations", _iterations_caption(run), draw))
    if run.best:
        caption = "Scores of the picks kept on all micrographs of the run."
        figures.append(_chart("The scores of the picks", caption, partial(_histograms, run)))
    return figures


def draw_pictures(run: RunData) -> tuple[list[ReportFigure], str]:
    """Micrographs with their picks, and a sentence on pictures that are left out."""
    if not run.best:
        return [], ""
    try:
        diameter_angstrom = float(run.settings["diameter_angstrom"])
        pixel_size = _pixel_size_angstrom(run, run.best)
        compared = _compared(run, run.best, diameter_angstrom / pixel_size)
    except Exception as error:
        return [], _sentence("The pictures of the picks", error)
    there = list(islice((one for one in compared if Path(one.micrograph).is_file()), MOST_PICTURES))
    pictures = [_picture(one, diameter_angstrom / pixel_size, pixel_size) for one in there]
    return pictures, _missing(compared, there)


def compared_iterations(run: RunData) -> list[RunIteration]:
    """The supervised start and the best iteration, which may be the same."""
    starts = [one for one in run.iterations if one.number == 0 and one != run.best]
    return [*starts, run.best] if run.best else starts


def _compared(run: RunData, best: RunIteration, diameter_px: float) -> list[Change]:
    """Every micrograph with picks; those that changed most, or are the least sure, first."""
    before, *_ = compared_iterations(run)
    after = best.picks().by_micrograph
    if before != best:
        return changes(before.picks().by_micrograph, after, diameter_px)
    sureness = {name: picks.scores.mean() for name, picks in after.items()}
    return sorted(changes(after, after, diameter_px), key=lambda one: sureness[one.micrograph])


def _pixel_size_angstrom(run: RunData, best: RunIteration) -> float:
    said = run.settings.get("pixel_size_angstrom") or best.picks().pixel_size_angstrom
    if not said:
        raise CryopickError("neither the settings nor the picks say the pixel size.")
    return float(said)


def _picture(change: Change, diameter_px: float, pixel_size: float) -> ReportFigure:
    path = Path(change.micrograph)

    def draw() -> str:
        figure = draw_change(read_micrograph(path, pixel_size), change, diameter_px)
        return _to_image(figure, f"{path.name} with its picks as circles")

    return _guarded(f"The picture of {path.name}", f"{path.name}: {change.words}", draw)


def _missing(compared: list[Change], there: list[Change]) -> str:
    """Which pictures are not there, because their micrographs or the picks are not."""
    if not compared:
        return "No pick was kept, so there is nothing to be pictured."
    gone = [one.micrograph for one in compared if not Path(one.micrograph).is_file()]
    if not gone:
        return ""
    if not there:
        return f"Pictures are left out: no micrograph is where the run found it ({gone[0]})."
    return (
        f"{len(gone)} of {len(compared)} micrographs are no longer where the run found them, "
        f"so they have no picture ({gone[0]})."
    )


def _histograms(run: RunData) -> Figure:
    scores = {}
    for one in compared_iterations(run):
        tables = one.picks().by_micrograph.values()
        values = np.concatenate([np.empty(0), *(table.scores for table in tables)])
        scores[one.title] = values[np.isfinite(values)]
    return draw_score_histograms(scores)


def _iterations_caption(run: RunData) -> str:
    names = "F1" if all(np.isnan(i.average_precision) for i in run.iterations) else "F1 and AP"
    rolled_back = any(one.accepted is False for one in run.iterations)
    return f"{names} of each iteration{'; hollow: rolled back' if rolled_back else ''}."


def _chart(what: str, caption: str, draw: Callable[[], Figure]) -> ReportFigure:
    return _guarded(what, caption, lambda: to_svg(draw(), caption))


def _guarded(what: str, caption: str, draw: Callable[[], str]) -> ReportFigure:
    try:
        return ReportFigure(caption, draw())
    except Exception as error:
        return ReportFigure(problem=_sentence(what, error))


def _sentence(what: str, error: Exception) -> str:
    reason = str(error) if isinstance(error, CryopickError) else repr(error)
    return f"{what} could not be drawn: {reason.rstrip('.')}."


def _to_image(figure: Figure, alt: str) -> str:
    """A figure as an `<img>` element that holds its data."""
    written = BytesIO()
    figure.savefig(written, format="jpeg", dpi=DPI, pil_kwargs={"quality": 86, "subsampling": 0})
    data = b64encode(written.getvalue()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{data}">'
