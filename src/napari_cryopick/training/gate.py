"""Whether a teacher may teach, and whether what it taught is to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from ..network.architectures import PARTICLE_PX
from ..picks import Status
from .evidence import Evidence
from .judging import Judgement
from .pseudo_labels import View
from .targets import AREA_RADIUS

CROWDED = 0.9
"""Share of the ground under picks beyond which nobody has ever packed particles."""

LARGEST, SMALLEST = 3.0, 0.25
"""Area of a particle in the map, over that of a pick's disc."""

FEWEST_FOUND = 0.4
"""Share of the clicks kept from a model that it must find again."""

TIE = 0.002
"""A difference in F1 and average precision together that says nothing."""

LOSS = 0.01
"""What one of the two may lose where the other gains more."""


@dataclass(frozen=True, eq=False)
class Standing:
    """How good a model is found to be: its judgement, and the clicks behind it if they are few."""

    judgement: Judgement
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether a round's model replaces the best so far, and why or why not."""

    accepted: bool
    reason: str


def collapsed(views: Sequence[View], standing: Standing) -> str:
    """What is wrong with a teacher that must not teach, and what to do; "" where nothing is."""
    threshold, evidence = standing.judgement.threshold, standing.evidence
    kept = [view.peaks.with_status(Status.OK).scores >= threshold for view in views]
    count = int(sum(each.sum() for each in kept))
    discs = count * pi * (PARTICLE_PX / 2) ** 2
    ground = sum(view.maps.centre.size for view in views)
    area = sum(float((view.maps.area > 0.5).sum()) for view in views)
    size = area / max(count * pi * (AREA_RADIUS * PARTICLE_PX) ** 2, 1e-9)
    if not count:
        return "The model picks nothing; click more particles, or check the diameter."
    if discs > CROWDED * ground:
        return (
            f"The model picks nearly everything ({count / len(views):.0f} particles per "
            "micrograph); check the diameter, and delete some of its wrong picks."
        )
    if not SMALLEST < size < LARGEST:
        found = "larger" if size > 1 else "smaller"
        return (
            f"What the model takes for particles is much {found} than the diameter says; check "
            "the diameter and the pixel size."
        )
    if evidence is not None and evidence.recall < FEWEST_FOUND:
        return (
            f"Trained without them, models find only {evidence.recall:.0%} of your clicks; check "
            "that all of them are particles, and click more."
        )
    return ""


def compare(before: Standing, after: Standing) -> Verdict:
    """Whether held-out human labels say that a round's model is better; ties keep the older."""
    (f1, precision), (new_f1, new_precision) = _figures(before, after)
    told = f"F1 {f1:.3f} to {new_f1:.3f}, average precision {precision:.3f} to {new_precision:.3f}"
    source = _source(after)
    gains = np.nan_to_num([new_f1 - f1, new_precision - precision])
    if gains.min() < -LOSS:
        return Verdict(False, f"Rolled back, for it is worse on {source}: {told}.")
    if gains.sum() <= TIE:
        return Verdict(False, f"Rolled back, for it is no better on {source}: {told}.")
    return Verdict(True, f"Kept, for it is better on {source}: {told}.")


def _figures(before: Standing, after: Standing) -> list[tuple[float, float]]:
    """F1 and average precision of both, of clicks with one count of particles for both."""
    if before.evidence is None or after.evidence is None:
        return [(s.judgement.f1, s.judgement.average_precision) for s in (before, after)]
    expected = (before.evidence.expected + after.evidence.expected) / 2
    return [
        (s.evidence.f1(expected), s.evidence.average_precision(expected))
        for s in (before, after)
        if s.evidence is not None
    ]


def _source(standing: Standing) -> str:
    if standing.evidence is None:
        return "held-out labels"
    return f"{len(standing.evidence.ranks)} clicks that judged models not trained on them"
