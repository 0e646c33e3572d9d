from __future__ import annotations

from math import nan
from pathlib import Path

import pytest

from napari_cryopick.runs.read import RunIteration
from napari_cryopick.runs.report import recommend


def iterations(*outcomes: tuple[bool | None, float], **figures) -> list[RunIteration]:
    """The start and its rounds: accepted or not, and F1."""
    return [
        RunIteration(
            number, Path(f"iteration_{number}"), accepted, f1=f1, **{"complete": True} | figures
        )
        for number, (accepted, f1) in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([], "No model has been accepted yet; let the training finish."),
        ([(None, nan)], "No model has been accepted yet; let the training finish."),
        (
            [(True, 0.6)],
            "Use the supervised start; self-training may get more out of the same micrographs.",
        ),
        (
            [(True, 0.6), (False, 0.6), (False, 0.5)],
            "Self-training gained nothing; use the supervised start, "
            "and click more where the model is unsure.",
        ),
        (
            [(True, 0.6), (True, 0.7), (True, 0.71)],
            "Use iteration 2, 0.11 F1 above the supervised start; "
            "the last round gained 0.01, so one more round may help.",
        ),
        (
            [(True, 0.6), (True, 0.7), (True, 0.701)],
            "Use iteration 2, 0.10 F1 above the supervised start; "
            "the last round gained next to nothing, so click more instead of going on.",
        ),
        (
            [(True, 0.6), (True, 0.7), (False, 0.65)],
            "Use iteration 1, 0.10 F1 above the supervised start; "
            "the round after it gained nothing and was rolled back, so stop here.",
        ),
        (
            [(True, 0.6), (True, 0.7), (False, 0.65), (False, 0.66)],
            "Use iteration 1, 0.10 F1 above the supervised start; "
            "the 2 rounds after it gained nothing and were rolled back, so stop here.",
        ),
        (
            [(True, 0.6), (False, 0.5), (True, 0.65)],
            "Use iteration 2, 0.05 F1 above the supervised start; "
            "the last round gained 0.05, so one more round may help.",
        ),
        (
            [(True, nan), (True, nan)],
            "Use iteration 1; "
            "without its F1 there is no telling whether one more round would help.",
        ),
        (
            [(True, 0.7), (True, 0.6)],
            "Use the supervised start, whose F1 is the highest; what was kept after it lost 0.10.",
        ),
        (
            [(True, 0.7), (None, nan)],
            "Use the supervised start; "
            "without its F1 there is no telling whether one more round would help.",
        ),
    ],
)
def test_each_outcome_has_its_sentence(outcomes, sentence):
    assert recommend(iterations(*outcomes)) == sentence


def test_estimated_gains_are_called_so():
    assert "about 0.10 F1 above" in recommend(iterations((True, 0.6), (True, 0.7), complete=False))


def test_a_loss_that_may_be_chance_is_no_reason_to_go_back():
    outcomes = (True, 0.7), (True, 0.64)
    assert "Use the supervised start" in recommend(iterations(*outcomes, held_out_picks=100))
    assert "Use iteration 1" in recommend(iterations(*outcomes, held_out_picks=10))


def test_the_run_knows_better_whether_to_go_on_but_not_that_it_lost():
    advice = "Check the diameter."
    assert recommend(iterations((True, 0.6)), advice) == f"Use the supervised start. {advice}"
    assert "Check" not in recommend(iterations((True, 0.7), (True, 0.5)), advice)
