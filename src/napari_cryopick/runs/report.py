"""Which model of a run to use, and whether another round is worth it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan, sqrt
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from .. import __version__
from ..io import atomic_path
from .read import RunData, RunIteration, read_run, whole
from .report_figures import compared_iterations, draw_curves, draw_pictures

PIXEL_FIGURES = {
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "iou": "IoU",
    "roc_auc": "ROC-AUC",
    "average_precision": "AP",
}
_UNITS = {"_angstrom": " (Å)", "_px": " (px)"}


def write_report(run: Path, output: Path | None = None) -> Path:
    """Write what came of a run, finished or not, from its folder alone.

    Parameters
    ----------
    run
        The folder. Micrographs that its picks name are pictured if they are still there.
    output
        The HTML file; `report.html` in the run by default.

    Returns
    -------
    The file.

    Raises
    ------
    CryopickError
        If the folder holds no run, or the file cannot be written.
    """
    page = render(read_run(run))
    output = output or run / "report.html"
    with atomic_path(output) as part:
        part.write_text(page, encoding="utf-8")
    return output


def render(run: RunData) -> str:
    """The report as HTML."""
    pictures, missing = draw_pictures(run)
    return _template().render(
        run=run,
        name=run.path.resolve().name,
        version=__version__,
        recommendation=recommend(run.iterations, str(run.log.finished.get("advice") or "")),
        summary=_summary(run),
        basis=_basis(run),
        pixel_figures=PIXEL_FIGURES if any(one.pixels for one in run.iterations) else {},
        curves=draw_curves(run),
        pictures=pictures,
        missing=missing,
        compared=compared_iterations(run),
        settings=[(_option(name), _value(value)) for name, value in run.settings.items()],
    )


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "whole": _whole, "safe_html": Markup}
    environment.globals |= {"details": _details, "nan": nan}
    return environment.get_template("report.html.j2")


def _figure(value: float, digits: int = 3) -> str:
    """A number for a table; a dash where there is none."""
    return "–" if isnan(value) else f"{value:.{digits}f}"


def _whole(value: int | None) -> str:
    """A count with thin spaces between thousands."""
    return "–" if value is None else f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _counted(number: int, thing: str) -> str:
    return f"{_whole(number)} {thing}" if number == 1 else f"{_whole(number)} {thing}s"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _summary(run: RunData) -> str:
    """What was trained on what, in one line; empty where the run does not say."""
    started, finished = run.log.started, run.log.finished
    if not started:
        return ""
    picks, micrographs, held_out = (
        whole(started.get(name)) or 0
        for name in ("training_picks", "labelled_micrographs", "held_out_picks")
    )
    text = f"Trained with {_counted(picks, 'pick')} on {_counted(micrographs, 'micrograph')}"
    if held_out:
        text += f", {_whole(held_out)} more held out to judge by"
    if started.get("device"):
        text += f", on {started['device']}"
    if seconds := whole(finished.get("seconds")):
        text += f", in {_duration(seconds)}"
    if not finished:
        return f"{text}. The run has not come to its end."
    return f"{text}.{' The run was stopped before its end.' if finished.get('stopped') else ''}"


def _basis(run: RunData) -> str:
    """Whether figures are measured or estimated, and what that means."""
    measured = "Figures are measured on labelled ground that was held out and is complete."
    estimated = (
        "Figures are estimated from clicks, for nobody knows which of the other picks are false. "
        "They rank the iterations of this run, no more."
    )
    match {one.complete for one in run.iterations} - {None}:
        case kinds if kinds == {True}:
            return measured
        case kinds if kinds == {False}:
            return estimated
        case kinds if kinds:
            return f"Of measured iterations: {measured} Of estimated ones: {estimated}"
    return ""


def _details(iteration: RunIteration) -> str:
    """What else is known of an iteration, in one line."""
    words = {True: "measured", False: "estimated"}
    parts = [words[iteration.complete]] if iteration.complete is not None else []
    if iteration.held_out_picks is not None:
        parts.append(f"{_counted(iteration.held_out_picks, 'pick')} held out")
    if not isnan(iteration.seconds):
        parts.append(_duration(iteration.seconds))
    return ", ".join(parts)


def _option(name: str) -> str:
    """`diameter_angstrom` becomes `diameter (Å)`."""
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            name = name.removesuffix(suffix) + unit
    return name.replace("_", " ")


def _value(value: object) -> str:
    """A setting as one writes it."""
    words = {True: "yes", False: "no", None: "–"}
    if value is None or isinstance(value, bool):
        return words[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


NEXT_TO_NOTHING = 0.005
"""A gain in F1 below which a further round is not worth its time."""

_LEAST_LOSS = {True: 0.02, False: 0.05}


def recommend(iterations: Sequence[RunIteration], advice: str = "") -> str:
    """Say which model to use and whether to go on.

    Parameters
    ----------
    iterations
        The supervised start and the rounds after it, in order.
    advice
        What the run itself said about going on, which knows more than figures can tell.
    """
    accepted = [one for one in iterations if one.accepted]
    if not accepted:
        return "No model has been accepted yet; let the training finish."
    used, rounds = accepted[-1], [one for one in iterations if one.number and not one.is_ensemble]
    if (better := _clearly_better(accepted)) is not None:
        lost = _as_text(better.f1 - used.f1, used)
        return f"Use {better.phrase}, whose F1 is the highest; what was kept after it lost {lost}."
    if advice:
        return f"Use {_with_gain(accepted)}. {advice}"
    if not rounds:
        return f"Use {used.phrase}; self-training may get more out of the same micrographs."
    rolled_back = [one for one in rounds if one.accepted is False and one.number > used.number]
    if rolled_back and not used.number:
        return (
            "Self-training gained nothing; use the supervised start, "
            "and click more where the model is unsure."
        )
    if rolled_back:
        return f"Use {_with_gain(accepted)}; {_gone(len(rolled_back))}, so stop here."
    before_joining = [one for one in accepted if not one.is_ensemble]
    return f"Use {_with_gain(accepted)}; {_outlook(before_joining)}."


def _clearly_better(accepted: Sequence[RunIteration]) -> RunIteration | None:
    """One that was accepted earlier and lies above the last by more than chance would do."""
    used = accepted[-1]
    chance = 0.5 / sqrt(used.held_out_picks) if used.held_out_picks else 0.0
    best = max(accepted, key=lambda one: -1.0 if isnan(one.f1) else one.f1)
    return best if best.f1 - used.f1 > max(chance, _LEAST_LOSS[bool(used.complete)]) else None


def _with_gain(accepted: Sequence[RunIteration]) -> str:
    """The one accepted last, and how far it lies above the start where it does."""
    start, used = accepted[0], accepted[-1]
    gain = used.f1 - start.f1
    if start.number or not gain >= NEXT_TO_NOTHING:
        return used.phrase
    return f"{used.phrase}, {_as_text(gain, used)} F1 above the supervised start"


def _gone(count: int) -> str:
    if count == 1:
        return "the round after it gained nothing and was rolled back"
    return f"the {count} rounds after it gained nothing and were rolled back"


def _outlook(accepted: Sequence[RunIteration]) -> str:
    """Whether one more round may help, from what the last one gained."""
    used = accepted[-1]
    gain = used.f1 - accepted[-2].f1 if len(accepted) > 1 else float("nan")
    if isnan(gain):
        return "without its F1 there is no telling whether one more round would help"
    if gain < NEXT_TO_NOTHING:
        return "the last round gained next to nothing, so click more instead of going on"
    return f"the last round gained {_as_text(gain, used)}, so one more round may help"


def _as_text(difference: float, of: RunIteration) -> str:
    """A difference of F1; "about" where it is estimated."""
    return f"{difference:.2f}" if of.complete else f"about {difference:.2f}"
