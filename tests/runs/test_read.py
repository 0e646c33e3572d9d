"""Runs are read as they are: finished, under way, stopped or half broken."""

from __future__ import annotations

import os
from math import isnan

import pytest

from napari_cryopick.errors import CryopickError
from napari_cryopick.runs.read import iterations, latest_self_training, read_run


def test_iterations_come_in_order_and_the_best_is_known(run):
    for number, accepted in ((2, False), (0, True), (10, False), (1, True)):
        run.add(number, accepted, f1=number / 10, reason=f"Reason {number}.")
    found = iterations(run.path)
    assert [one.number for one in found] == [0, 1, 2, 10]
    assert [one.best for one in found] == [False, True, False, False]
    assert [one.accepted for one in found] == [True, True, False, False]
    assert [one.f1 for one in found] == [0, 0.1, 0.2, 1]
    assert found[2].reason == "Reason 2."
    assert len(found[0].picks()) == found[0].count == 8
    assert read_run(run.path).best.number == 1


def test_best_may_be_a_text_file_where_links_do_not_work(run):
    run.add(0)
    run.add(1)
    (run.path / "best").unlink()
    (run.path / "best").write_text("iteration_0_supervised\n")
    assert read_run(run.path).best.number == 0


def test_what_is_null_is_not_known(run):
    run.add(0, expected={"precision": 0.9, "recall": None}, pixels=None, count=None)
    (one,) = iterations(run.path)
    assert isnan(one.f1)
    assert one.expected_precision == 0.9
    assert isnan(one.expected_recall)
    assert one.pixels is one.count is None


def test_models_have_names(run):
    for number in range(2):
        run.add(number)
    run.add_named("iteration_2_ensemble", 2)
    found = iterations(run.path)
    assert [one.title for one in found] == ["initial model", "round 1", "ensemble"]
    assert [one.phrase for one in found] == ["the initial model", "round 1", "the ensemble"]


@pytest.mark.parametrize("content", ["{", "[1]", "null", "\x00", '{"f1": "high"}'])
def test_broken_figures_cost_their_iteration_alone(run, content):
    run.add(0)
    (run.add(1) / "metrics.json").write_text(content)
    run.end()
    assert [one.number for one in iterations(run.path)] == [0]
    broken = read_run(run.path).iterations[1]
    assert not broken.finished
    assert broken.reason == "Its metrics.json is missing or broken."


def test_a_resumed_run_has_one_loss_at_each_step(run):
    run.add(0)
    run.log("Step", step=12, losses={"total": 5.0})
    run.log("Started")
    run.log("Iteration", number=0)
    run.add(1)
    data = read_run(run.path)
    assert len(data.losses) == 20
    assert data.losses[12] == pytest.approx(1 / 12)
    assert data.iteration_ends == {10, 20}


def test_a_log_that_was_cut_off_or_is_gone_leaves_the_rest(run):
    run.add(0)
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"event": "Fini')
    assert len(read_run(run.path).losses) == 10
    (run.path / "events.jsonl").unlink()
    (run.path / "settings.yaml").write_text("a: [")
    data = read_run(run.path)
    assert (data.losses, data.settings, len(data.iterations)) == ({}, {}, 1)


def test_no_run_is_one_sentence(tmp_path):
    with pytest.raises(CryopickError, match="holds no run"):
        read_run(tmp_path)
    with pytest.raises(CryopickError, match="does not exist"):
        read_run(tmp_path / "nowhere")


def test_a_run_that_may_not_be_read_is_one_sentence(run, unprivileged):
    with pytest.raises(CryopickError, match="cannot be opened; check its permissions"):
        read_run(run.path)


@pytest.mark.parametrize(
    ("rounds", "finished", "asked", "expected"),
    [(2, True, 2, False), (2, True, 3, True), (2, False, 2, True), (0, True, 1, True)],
)
def test_a_run_is_resumed_if_it_was_interrupted_or_more_rounds_are_asked_for(
    tmp_path, run, rounds, finished, asked, expected
):
    for number in range(rounds + 1):
        run.add(number)
    run.add_named(f"iteration_{rounds + 1}_ensemble", rounds + 1)
    run.end(stopped=not finished)
    latest = latest_self_training(tmp_path)
    assert latest is not None
    assert (latest.rounds, latest.finished) == (rounds, finished)
    assert latest.can_resume(asked) == expected


def test_a_run_that_was_resumed_and_goes_on_is_not_finished(tmp_path, run):
    run.end()
    assert latest_self_training(tmp_path).finished
    run.log("Started")
    assert not latest_self_training(tmp_path).finished


def test_the_latest_run_is_the_one_begun_last(tmp_path, begin_run):
    for name, seconds in (("run_10", 1), ("run_9", 2), ("run_11", 3)):
        settings = begin_run(name).path / "settings.yaml"
        if name == "run_11":
            settings.write_text("steps: 300\n")  # a training without rounds
        os.utime(settings, (seconds, seconds))
    latest = latest_self_training(tmp_path)
    assert latest is not None
    assert latest.path.name == "run_9"
    assert latest_self_training(tmp_path / "nowhere") is None
    assert iterations(tmp_path) == []
