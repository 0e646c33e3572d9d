"""What a person is told to do when a run of self-training is over."""

from __future__ import annotations

from collections.abc import Sequence

from .evidence import FEWEST_CLICKS
from .lines import Line
from .settings import SelfTrainSettings


def against_rounds(lines: Sequence[Line], settings: SelfTrainSettings) -> str:
    """Why no round can make sense, and what to do; "" if it can."""
    if settings.complete and all(example.picked for example in lines[0].examples):
        return "There are no micrographs without labels to learn from; add some, or train alone."
    if not (settings.complete or len(lines) > 1 or settings.always_accept):
        return (
            f"With fewer than {FEWEST_CLICKS} clicks nothing can judge a round of "
            "self-training; click some more and run again."
        )
    return ""


def after(settings: SelfTrainSettings, accepted: int, in_vain: bool, stopped: bool) -> str:
    """What to do after a run of which so many iterations were accepted."""
    if stopped:
        return "The run was stopped; resume it to go on."
    if not settings.rounds:
        return "Correct some of its picks and train on them, starting from this run."
    if settings.always_accept:
        return "Every round was kept unseen; the report tells which one is the best."
    if accepted == 1:
        return "Self-training gained nothing; correct some of the start's picks, train again."
    if in_vain:
        return "More rounds gain nothing; correct some picks and train again."
    return "The last round still gained something; go on with more rounds."
