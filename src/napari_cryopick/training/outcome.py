"""What an iteration has come to, on disk before it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from torch import nn

from .events import Iteration
from .gate import Standing, Verdict
from .jury import expected
from .lessons import Lesson
from .lines import Line
from .supervised import metrics_of, model_of

_TOLD = ["number", "name", "f1", "average_precision", "threshold", "count", "accepted", "reason"]


def save(
    lines: Sequence[Line],
    networks: Sequence[nn.Module],
    standing: Standing,
    figures: Mapping[str, Any],
) -> None:
    """Write weights, picks and, when all else is there, figures."""
    model, name = lines[0], figures["name"]
    judgement, border = standing.judgement, model.examples[0].border
    for line, network in zip(lines, networks, strict=False):
        saved = model_of(network, judgement, model.settings, border)
        model.folder.save_model(name, saved, line.file)
    model.folder.save_picks(name, judgement.kept, model.examples[0].pixel_size_angstrom)
    model.folder.save_metrics(name, figures)


def figures_of(
    number: int,
    name: str,
    standing: Standing,
    verdict: Verdict,
    lesson: Lesson | None,
    model: Line,
) -> dict[str, Any]:
    """All that is to be known of an iteration, for metrics.json."""
    return {
        "number": number,
        "name": name,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
        **metrics_of(standing.judgement, model.settings),
        "pseudo_labels": lesson and lesson.told.as_figures(),
        "held_out_picks": standing.held_out,
        "expected": expected(standing.judgement),
    }


def told(figures: Mapping[str, Any], model: Line) -> Iteration:
    """The event of an iteration, from its figures, those on disk too."""
    known: dict[str, Any] = {
        name: nan if figures[name] is None else figures[name] for name in _TOLD
    }
    return Iteration(path=model.weights(figures["name"]), **known)
