"""Which model of a run to use, and whether another round is worth it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, sqrt

from .run_data import RunIteration

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
        lost = _figure(better.f1 - used.f1, used)
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
    return f"{used.phrase}, {_figure(gain, used)} F1 above the supervised start"


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
    return f"the last round gained {_figure(gain, used)}, so one more round may help"


def _figure(difference: float, of: RunIteration) -> str:
    """A difference of F1; "about" where it is estimated."""
    return f"{difference:.2f}" if of.complete else f"about {difference:.2f}"
