from __future__ import annotations

import json
import os
from math import isnan

import pytest

from napari_cryopick.picks import Picks
from napari_cryopick.runs.read import iterations, latest_self_training

NOTHING = Picks.at([])


def test_iterations_are_read_in_order_and_the_best_is_known(tmp_path, begin_run):
    run = begin_run(tmp_path / "run_1")
    for number, best in ((2, False), (0, True), (1, True)):
        run.judge(number, {}, best, f1=number / 10, reason=f"Reason {number}.")
    found = iterations(run.path)
    assert [one.number for one in found] == [0, 1, 2]
    assert [one.best for one in found] == [False, True, False]
    assert [one.accepted for one in found] == [True, True, False]
    assert [one.f1 for one in found] == [0, 0.1, 0.2]
    assert found[2].reason == "Reason 2."
    assert found[0].count == 0
    assert not found[0].complete


def test_figures_may_be_missing_or_broken(tmp_path, begin_run):
    run = begin_run(tmp_path / "run_1")
    bare = run.judge(0, {}) / "metrics.json"
    bare.write_text(json.dumps({"f1": None}))
    (run.judge(1, {}) / "metrics.json").write_text("{")
    (one,) = iterations(run.path)
    assert (one.number, one.count, one.accepted, one.reason) == (0, None, True, "")
    assert isnan(one.f1)
    assert isnan(one.threshold)


@pytest.mark.parametrize("content", ["{", "[1]", "null", "\x00"])
def test_broken_figures_cost_their_iteration_alone(tmp_path, begin_run, content):
    run = begin_run(tmp_path / "run_1")
    run.judge(0, {}, f1="high", threshold=[], count="many")
    (run.judge(1, {}) / "metrics.json").write_text(content)
    (one,) = iterations(run.path)
    assert isnan(one.f1)
    assert isnan(one.threshold)
    assert one.count is None


def test_an_ensemble_is_no_round(tmp_path, begin_run):
    run = begin_run(tmp_path / "run_1")
    for number in range(3):
        run.judge(number, {})
    run.judge(3, {}, kind="ensemble")
    assert [one.title for one in iterations(run.path)][1:] == [
        "iteration 1",
        "iteration 2",
        "ensemble",
    ]
    latest = latest_self_training(tmp_path)
    assert latest is not None
    assert latest.rounds == 2


@pytest.mark.parametrize(
    ("rounds", "finished", "asked", "expected"),
    [(2, True, 2, False), (2, True, 3, True), (2, False, 2, True), (0, True, 1, True)],
)
def test_a_run_can_go_on_if_it_was_interrupted_or_more_rounds_are_asked_for(
    tmp_path, begin_run, rounds, finished, asked, expected
):
    run = begin_run(tmp_path / "run_1", rounds, finished=finished)
    for number in range(rounds + 1):
        run.judge(number, {})
    latest = latest_self_training(tmp_path)
    assert latest is not None
    assert latest.rounds == rounds
    assert latest.finished == finished
    assert latest.can_go_on(asked) == expected


def test_a_line_that_was_cut_off_is_no_end(tmp_path, begin_run):
    run = begin_run(tmp_path / "run_1")
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"event": "Fini')
    latest = latest_self_training(tmp_path)
    assert latest is not None
    assert not latest.finished


def test_the_run_begun_last_counts_and_trainings_without_rounds_do_not(tmp_path, begin_run):
    for name, seconds in (("run_10", 1), ("run_9", 2), ("run_11", 3)):
        run = begin_run(tmp_path / name)
        os.utime(run.path / "settings.yaml", (seconds, seconds))
    settings = tmp_path / "run_11" / "settings.yaml"
    settings.write_text("steps: 300\n")
    latest = latest_self_training(tmp_path)
    assert latest is not None
    assert latest.path.name == "run_9"


def test_where_there_are_no_runs_there_is_none(tmp_path):
    assert latest_self_training(tmp_path / "nowhere") is None
    assert iterations(tmp_path) == []
