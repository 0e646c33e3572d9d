"""The report of a run: one HTML file made from its folder alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from math import isnan
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .. import __version__
from ..errors import CryopickError
from ..io import read_micrograph
from ..metrics.matching import Change, changes
from .pictures import DPI, ORANGE, YELLOW, Circles, draw_circles
from .read import RunData, RunIteration, read_run, write_text

MOST_PICTURES = 3
_LINE, _FAINT = "#0b6aa8", "#646c74"


@dataclass(frozen=True)
class ReportFigure:
    """A picture as a data address with its caption; a sentence instead if it cannot be drawn."""

    caption: str
    source: str = ""


def write_report(run: Path, output: Path | None = None) -> Path:
    """Report on a run, finished or not, in a file that is `report.html` in the run by default.

    Micrographs are drawn if they are where the run found them.
    """
    found, output = read_run(run), output or run / "report.html"
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"number": _number, "measured": _measured, "details": _details}
    compared = compared_iterations(found)
    page = environment.get_template("report.html.j2").render(
        run=found,
        name=run.resolve().name,
        version=__version__,
        advice=recommend(found),
        curves=_curves(found),
        compared=compared,
        pictures=_pictures(found, compared),
    )
    write_text(output, page)
    return output


def recommend(run: RunData) -> str:
    """Say in one or two sentences which model to use, and what to do next."""
    best = run.best
    if best is None:
        return "There is no model yet; let the training finish."
    text = f"Use {best.phrase}."
    measured = [one for one in run.iterations if one.accepted and not isnan(one.f1)]
    if len(measured) > 1:
        highest = max(measured, key=lambda one: one.f1)
        text = f"Use {highest.phrase}: it has the highest F1 on held-out labels."
    advice = run.finished.get("advice") or "" if run.finished else "The run has not finished."
    return f"{text} {advice}".strip()


def _number(value: float | None, digits: int = 3) -> str:
    """Return a number for a table; a dash where it is not known."""
    return "–" if value is None or isnan(value) else f"{value:,.{digits}f}"


def _measured(one: RunIteration, name: str) -> str:
    """Return a figure as it was measured, or else as the scores of the picks have it."""
    measured, expected = getattr(one, name), getattr(one, f"expected_{name}")
    approximate = isnan(measured) and not isnan(expected)
    return f"≈{_number(expected)}" if approximate else _number(measured)


def _details(one: RunIteration) -> str:
    """Say in one line what else is known of an iteration."""
    parts = []
    if learnt := one.pseudo_labels:
        counts = (_number(learnt.get(name), 0) for name in ("particles", "micrographs"))
        parts.append("Trained on {} pseudo-labels in {} micrographs".format(*counts))
    if one.pixels:
        names = {"f1": "F1", "iou": "IoU", "roc_auc": "ROC-AUC"}
        figures = (f"{names[key]} {_number(one.pixels[key])}" for key in names if key in one.pixels)
        parts.append(f"Pixels: {', '.join(figures)}")
    if not isnan(one.seconds):
        parts.append(f"Took {one.seconds:,.0f} s")
    return " ".join(f"{part}." for part in parts)


def _curves(run: RunData) -> list[ReportFigure]:
    """Draw what there is to draw of the loss, and of F1 by iteration."""
    figures = [ReportFigure("There is no loss curve, for no training step is on record.")]
    if run.losses:
        caption = "Loss by optimiser step, smoothed; dashed lines separate the iterations."
        figures = [_drawn("The loss", caption, partial(_draw_losses, run))]
    measured = [one for one in run.iterations if not isnan(one.f1)]
    if len(measured) > 1:
        caption = "F1 on held-out labels; hollow where the iteration was not kept."
        figures.append(_drawn("F1", caption, partial(_draw_f1, measured)))
    return figures


def _pictures(run: RunData, compared: Sequence[RunIteration]) -> list[ReportFigure]:
    """Draw the micrographs whose picks changed most."""
    try:
        found, pixel_size = _changes(run, compared) if compared else ([], 0.0)
    except (CryopickError, TypeError, ValueError) as error:
        return [_failed("The picks", error)]
    there = [change for change in found if Path(change.micrograph).is_file()]
    pictures = []
    for change in there[:MOST_PICTURES]:
        name, diameter = Path(change.micrograph).name, run.settings["diameter_angstrom"]
        pictures.append(_drawn(name, name, partial(_draw_change, change, pixel_size, diameter)))
    if len(there) < len(found):
        gone = f"{len(found) - len(there)} of {len(found)} micrographs"
        pictures.append(ReportFigure(f"Without picture: {gone} are not where the run found them."))
    return pictures or [ReportFigure("There are no picks to draw.")]


def compared_iterations(run: RunData) -> list[RunIteration]:
    """Return the initial model, and the best one or else the last; one where these are the same."""
    finished = [one for one in run.iterations if one.finished]
    if not finished:
        return []
    later = run.best if run.best and run.best.number else finished[-1]
    return [finished[0], later] if later is not finished[0] else [later]


def _changes(run: RunData, compared: Sequence[RunIteration]) -> tuple[list[Change], float]:
    """Return what changed on each micrograph, most first, and the pixel size in Å."""
    before, after = compared[0].picks(), compared[-1].picks()
    diameter = run.settings.get("diameter_angstrom")
    pixel_size = run.settings.get("pixel_size_angstrom") or after.pixel_size_angstrom
    if not diameter or not pixel_size:
        raise CryopickError("The diameter or the pixel size is not on record.")
    found = changes(before.by_micrograph, after.by_micrograph, float(diameter) / float(pixel_size))
    return found, float(pixel_size)


def _draw_change(change: Change, pixel_size: float, diameter_angstrom: float) -> Figure:
    circles = [Circles("picks", change.kept)]
    if len(change):
        circles = [
            Circles("kept", change.kept),
            Circles("gained", change.gained, YELLOW),
            Circles("lost", change.lost, ORANGE, "dashed"),
        ]
    micrograph = read_micrograph(Path(change.micrograph), pixel_size)
    return draw_circles(micrograph, circles, diameter_angstrom / pixel_size)


def _draw_losses(run: RunData) -> Figure:
    figure, axes = _axes("loss")
    steps = sorted(run.losses)
    losses = [run.losses[step] for step in steps]
    axes.plot(steps, losses, color=_LINE)
    for end in sorted(run.iteration_ends)[:-1]:
        axes.axvline(end, color=_FAINT, linewidth=0.8, linestyle="dashed")
    highest = float(np.percentile(losses, 99))  # the first steps may be far above all others
    axes.set(xlabel="step", xlim=(0, steps[-1]), ylim=(0, 1.15 * highest or 1))
    return figure


def _draw_f1(measured: Sequence[RunIteration]) -> Figure:
    figure, axes = _axes("F1")
    axes.plot([one.f1 for one in measured], color=_LINE)
    for place, one in enumerate(measured):
        axes.plot(place, one.f1, "o", color=_LINE, mfc=_LINE if one.accepted else "white")
    axes.set_xticks(range(len(measured)), [one.title for one in measured])
    axes.margins(0.1, 0.25)
    return figure


def _axes(label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 2.8), facecolor="none", layout="constrained")
    axes = figure.add_subplot(ylabel=label, facecolor="none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", alpha=0.3)
    return figure, axes


def _drawn(what: str, caption: str, draw: Callable[[], Figure]) -> ReportFigure:
    written = BytesIO()
    try:
        draw().savefig(written, format="webp", dpi=DPI)
    except Exception as error:  # the rest of the report is worth having
        return _failed(what, error)
    data = b64encode(written.getvalue()).decode()
    return ReportFigure(caption, f"data:image/webp;base64,{data}")


def _failed(what: str, error: Exception) -> ReportFigure:
    reason = str(error) if isinstance(error, CryopickError) else repr(error)
    return ReportFigure(f"{what} could not be drawn: {reason.rstrip('.')}.")
