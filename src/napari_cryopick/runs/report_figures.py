"""The curves of a run, as SVG that takes its colours from the page around it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..errors import CryopickError
from ..io import read_micrograph
from ..metrics.matching import Change, changes
from .pictures import DPI, draw_change
from .read import RunData, RunIteration

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


_INK, _FAINT, _RULE, _BLUE, _ORANGE = "#1d2125", "#646c74", "#d9dde1", "#0b6aa8", "#c4560a"
_VARIABLES = {
    _INK: "var(--ink)",
    _FAINT: "var(--faint)",
    _RULE: "var(--rule)",
    _BLUE: "var(--blue)",
    _ORANGE: "var(--orange)",
}
_BINS = 25


def to_svg(figure: Figure, alt: str) -> str:
    """A figure as an `<svg>` element, with text as text and the page's colours."""
    written = StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": alt}):
        figure.savefig(written, format="svg", metadata=nothing)
    text = written.getvalue()
    text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg") :])
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return text.replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)


def draw_losses(losses: Mapping[int, float], ends: Mapping[int, int]) -> Figure:
    """Loss against steps, with a line where an iteration ended and the next began."""
    figure, axes = _axes(9.2, 2.7)
    steps = np.array(sorted(losses))
    heights = np.array([losses[step] for step in steps])
    last = int(steps[-1])
    for label, first, end in _stretches(ends, last):
        shown = (steps > first) & (steps <= end)
        axes.plot(steps[shown], heights[shown], color=_BLUE, linewidth=1.5)
        axes.annotate(
            label,
            ((first + end) / 2, 1),
            (0, 6),
            ("data", "axes fraction"),
            "offset points",
            ha="center",
            color=_FAINT,
            size=9,
        )
        if end < last:
            axes.axvline(end, color=_FAINT, linewidth=0.8, dashes=(3, 3))
    axes.set(xlim=(0, last), ylim=(0, _top(heights)))
    axes.set_xlabel("steps", loc="right")
    return figure


def draw_scores_of_iterations(iterations: Sequence[RunIteration]) -> Figure:
    """F1 and average precision of each iteration; hollow where it was rolled back."""
    figure, axes = _axes(4.5, 2.7)
    accepted = np.array([bool(one.accepted) for one in iterations])
    words = []
    for name, colour, values in (
        ("F1", _BLUE, np.array([one.f1 for one in iterations])),
        ("AP", _ORANGE, np.array([one.average_precision for one in iterations])),
    ):
        if np.isfinite(values).any():
            _draw_course(axes, colour, values, accepted)
            words.append((name, colour))
    _name_curves(axes, words)
    names = [one.title.split()[-1] for one in iterations]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.3, len(names) - 1 + 0.3)
    axes.set_xlabel("iteration", loc="right")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(y=0.25)
    return figure


def draw_score_histograms(scores: Mapping[str, NDArray]) -> Figure:
    """How many picks have which score, for one or two models; the last one is filled."""
    figure, axes = _axes(4.5, 2.7)
    edges = np.linspace(0, 1, _BINS + 1)
    *earlier, (name, last) = scores.items()
    axes.stairs(np.histogram(last, edges)[0], edges, fill=True, color=_BLUE, alpha=0.35)
    axes.stairs(np.histogram(last, edges)[0], edges, color=_BLUE, linewidth=1.3)
    words = [(name, _BLUE)]
    for name, values in earlier:
        axes.stairs(np.histogram(values, edges)[0], edges, color=_ORANGE, linewidth=1.5)
        words.insert(0, (name, _ORANGE))
    _name_curves(axes, words)
    axes.set(xlim=(0, 1))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("score of a pick", loc="right")
    return figure


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    """A transparent figure with axes of two spines and faint horizontal rules."""
    figure = Figure(figsize=(width, height), facecolor="none", layout="constrained")
    axes = figure.add_subplot(facecolor="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.grid(axis="y", color=_RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_FAINT, labelsize=9.5, length=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=_FAINT, size=9.5)
    return figure, axes


def _stretches(ends: Mapping[int, int], last: int) -> Iterator[tuple[str, int, int]]:
    """Name, first and last step of each iteration, and of what was not finished after them."""
    first = 0
    for number, end in sorted(ends.items()):
        if end > first:  # an ensemble takes no steps
            yield (f"round {number}" if number else "supervised start"), first, end
        first = max(first, end)
    if first < last:
        yield "unfinished" if ends else "", first, last


def _top(heights: NDArray) -> float:
    """Room for the curve without the first few steps, which may be far above it."""
    finite = heights[np.isfinite(heights)]
    return 1.15 * float(np.percentile(finite, 99.5)) if finite.size and finite.max() > 0 else 1.0


def _draw_course(axes: Axes, colour: str, values: NDArray, accepted: NDArray[np.bool_]) -> None:
    """A line through what was accepted, and hollow points beside it."""
    places = np.arange(len(values))
    line, beside = accepted & np.isfinite(values), ~accepted
    axes.plot(places[line], values[line], "o-", color=colour, markersize=6, linewidth=1.8)
    axes.plot(places[beside], values[beside], "o", color=colour, markersize=7, mfc="none", mew=1.6)


def _name_curves(axes: Axes, words: Sequence[tuple[str, str]]) -> None:
    """The names of curves in their colours, in a line above the axes."""
    points = 0.0
    for word, colour in words:
        axes.annotate(
            word,
            (0, 1),
            (points, 6),
            "axes fraction",
            "offset points",
            color=colour,
            weight="bold",
            size=9.5,
        )
        points += 6 * len(word) + 14
