"""What a model and its jurors say of one iteration together."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..detection.calibration import TAUGHT
from ..model.card import Calibration
from .evidence import gather
from .gate import Standing
from .judging import Judgement, judge
from .lines import Line
from .pseudo_labels import look
from .supervised import held_out_count


def stand(
    lines: Sequence[Line],
    networks: Sequence[nn.Module],
    least: float | None,
    calibration: Calibration | None = None,
) -> Standing:
    """How good the first network is: on held-out labels, or as the others testify.

    Parameters
    ----------
    networks
        One a line; without those of all jurors, what the model's own scores promise must do.
    least
        Particles that a successor expects at least, for clicks would not notice the loss; None
        for the supervised start.
    calibration
        Of the first network, if it is known.
    """
    model, *jurors = lines
    s = model.settings
    start = calibration or (model.calibration(networks[0]) if least is None else TAUGHT)
    if least is None:
        least = model.foresight.expected(model.examples)
    judgement = judge(networks[0], model.examples, s.complete, start, s.expected_count, least)
    if not jurors or len(networks) < len(lines):
        return Standing(judgement, held_out=held_out_count(model.examples))
    pairs = zip(networks[1:], jurors, strict=True)
    evidence = gather([look(network, j.examples, judgement) for network, j in pairs], judgement)
    informed = evidence.informed(judgement) if evidence.clicks else judgement
    return Standing(informed, evidence, evidence.clicks)


def expected(judgement: Judgement) -> float:
    """Particles on all micrographs."""
    return sum(map(judgement.expected, judgement.picks))
