"""Whether a teacher may teach, and whether what it taught is to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np
from numpy.typing import NDArray

from ..model.unet import AREA_RADIUS, PARTICLE_PX
from ..picks import Status
from .evidence import Evidence
from .judging import Judgement
from .pseudo_labels import View
from .targets import distances

CROWDED = 0.9
"""Share of the ground under picks beyond which nobody has ever packed particles."""

FILLED, SPREAD = 0.25, 0.75
"""Share of a pick's disc that must at least be particle in the area map, and share of the ground
around it that may at the most."""

AROUND = 0.55, 0.8
"""From where to where that ground lies, in diameters from the nearest pick."""

FEWEST_FOUND = 0.4
"""Share of the clicks kept from a model that it must find again."""

TIE = 0.002
"""A gain that says nothing."""

LOSS = 0.01
"""What F1 or average precision may lose on held-out labels where the other gains more."""

SETTLED = 0.8
"""Share of their disagreement that may at most be left between two models; more is a tie."""

ROUNDING = 1e-9

OBJECTION, GRAVE = 1.64, 0.15
"""Clicks object to a round if they are found less surely by so many standard errors (one-sided
95 %), or by so much on the mean."""


@dataclass(frozen=True, eq=False)
class Standing:
    """How good a model is found to be, on so many held-out particles or on evidence of clicks."""

    judgement: Judgement
    evidence: Evidence | None = None
    held_out: int = 0


@dataclass(frozen=True)
class Verdict:
    """Whether a round's model replaces the best so far, and why or why not."""

    accepted: bool
    reason: str


FIRST = Verdict(True, "The supervised start.")
FORCED = Verdict(True, "Kept unseen, as every round of this run is to be.")


def collapsed(views: Sequence[View], standing: Standing) -> str:
    """What is wrong with a teacher that must not teach, and what to do; "" where nothing is."""
    threshold, evidence = standing.judgement.threshold, standing.evidence
    kept = [_kept(view, threshold) for view in views]
    count = sum(map(len, kept))
    ground = sum(view.maps.area.size for view in views)
    if not count:
        return "The model picks nothing; click more particles, or check the diameter."
    if count * pi * (PARTICLE_PX / 2) ** 2 > CROWDED * ground:
        return (
            f"The model picks nearly everything ({count / len(views):.0f} particles per "
            "micrograph); check the diameter, and delete some of its wrong picks."
        )
    if size := _wrong_size(views, kept):
        return (
            f"What the model takes for particles is much {size} than the diameter says; check "
            "the diameter and the pixel size."
        )
    if evidence is not None and evidence.clicks and evidence.recall < FEWEST_FOUND:
        return (
            f"Trained without them, models find only {evidence.recall:.0%} of your clicks; check "
            "that all of them are particles, and click more."
        )
    return ""


def _kept(view: View, threshold: float) -> NDArray[np.float64]:
    """(n, 2) picks in network pixels."""
    peaks = view.peaks.with_status(Status.OK)
    return view.example.rescaling.to_network(peaks.positions[peaks.scores >= threshold])


def _wrong_size(views: Sequence[View], kept: Sequence[NDArray]) -> str:
    """ "larger" if particles spread far beyond picks, "smaller" if they hardly fill them."""
    inside, around = [], []
    for view, positions in zip(views, kept, strict=True):
        covered = view.maps.area > 0.5
        away = distances(covered.shape, positions).numpy() / PARTICLE_PX
        inside.append(covered[away < AREA_RADIUS])
        around.append(covered[(away > AROUND[0]) & (away < AROUND[1])])
    if np.concatenate(around).mean() > SPREAD:
        return "larger"
    return "smaller" if np.concatenate(inside).mean() < FILLED else ""


def decide(before: Standing | None, after: Standing, always_accept: bool = False) -> Verdict:
    """Whether an iteration replaces the best so far, of which a run has none at first."""
    if before is None:
        return FIRST
    return FORCED if always_accept else compare(before, after)


def compare(before: Standing, after: Standing) -> Verdict:
    """Whether human labels that took no part say that a round's model is better.

    Held-out labels measure it. A few clicks cannot: two models that learn from half of them each
    must agree on more picks than before, and the clicks they have not seen must not object. Ties
    keep the older model.
    """
    if before.evidence is None or after.evidence is None:
        return _measured(before.judgement, after.judgement, after.held_out)
    return _testified(before.evidence, after.evidence)


def _measured(before: Judgement, after: Judgement, held_out: int) -> Verdict:
    """One particle more or less is a tie."""
    told = _told(before.f1, after.f1, before.average_precision, after.average_precision)
    gains = np.nan_to_num(
        [after.f1 - before.f1, after.average_precision - before.average_precision]
    )
    if gains.min() < -LOSS:
        return Verdict(False, f"Rolled back, for it is worse on held-out labels: {told}.")
    if gains.sum() <= max(TIE, 1 / held_out if held_out else 0):
        return Verdict(False, f"Rolled back, for it is no better on held-out labels: {told}.")
    return Verdict(True, f"Kept, for it is better on held-out labels: {told}.")


def _testified(before: Evidence, after: Evidence) -> Verdict:
    kept = (before.kept + after.kept) / 2
    agreement, earlier = after.agreement(kept), before.agreement(kept)
    agreed = (
        f"models that learnt from different {'clicks' if after.clicks else 'simulations'} agree on "
        f"{agreement:.1%} of picks, {earlier:.1%} before"
    )
    settled = 1 - agreement <= SETTLED * (1 - earlier) - ROUNDING
    if not after.clicks:
        verdict = "Kept, for" if settled else "Rolled back, for it is no better:"
        return Verdict(settled, f"{verdict} {agreed}.")
    clicks = _clicks(before, after)
    if _object(before, after):
        return Verdict(False, f"Rolled back, for models find less of the {clicks}.")
    if not settled or _fewer(before, after):
        return Verdict(False, f"Rolled back, for it is no better: {agreed}; on {clicks}.")
    return Verdict(True, f"Kept, for {agreed}, and do no worse on {clicks}.")


def _fewer(before: Evidence, after: Evidence) -> bool:
    """Whether the clicks rank lower among all picks, be it by chance."""
    expected = (before.expected + after.expected) / 2
    f1 = after.f1(expected) - before.f1(expected)
    precision = after.average_precision(expected) - before.average_precision(expected)
    return min(f1, precision) < -TIE


def _clicks(before: Evidence, after: Evidence) -> str:
    """What is found of them, in words."""
    expected = (before.expected + after.expected) / 2
    told = _told(
        before.f1(expected),
        after.f1(expected),
        before.average_precision(expected),
        after.average_precision(expected),
    )
    return f"{after.clicks} clicks they had not seen: {told}"


def spoilt(before: Evidence, after: Evidence) -> bool:
    """Whether clicks that models have not seen say that training on others made them worse.

    Asked of the model that a training started from, at as many picks.
    """
    return bool(after.clicks) and _object(replace(before, kept=after.kept), after)


def _object(before: Evidence, after: Evidence) -> bool:
    """Whether clicks are found less surely than chance would have it."""
    change = after.found - before.found
    error = change.std(ddof=1) / np.sqrt(len(change))
    mean = change.mean()
    return bool(mean < -GRAVE or (mean < -TIE and mean < -OBJECTION * error))


def _told(f1: float, new_f1: float, precision: float, new_precision: float) -> str:
    return f"F1 {f1:.3f} to {new_f1:.3f}, average precision {precision:.3f} to {new_precision:.3f}"
