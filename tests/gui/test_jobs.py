from __future__ import annotations

import threading

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QThreadPool

from napari_cryopick import CryopickError
from napari_cryopick.gui.widgets.jobs import Errand, Job, Refused, Turns


def run_to_end(work, qtbot) -> list:
    job, events = Job(work), []
    job.happened.connect(events.append)
    with qtbot.waitSignal(job.ended, timeout=20_000):
        job.start()
    return events


def test_events_arrive_in_order_from_another_thread(qtbot):
    def work(stop):
        yield threading.current_thread() is threading.main_thread()
        yield from range(3)

    assert run_to_end(work, qtbot) == [False, 0, 1, 2]


def test_a_user_s_mistake_arrives_as_a_sentence(qtbot):
    def work(stop):
        yield 1
        raise CryopickError("No picks are given.")

    assert run_to_end(work, qtbot) == [1, Refused("No picks are given.")]


def test_a_mistake_of_ours_ends_the_job_and_is_told_too(qtbot):
    def work(stop):
        yield 1 / 0

    with notification_manager:
        assert run_to_end(work, qtbot) == [Refused("Something went wrong: division by zero")]


def test_stop_lets_the_work_end_in_order(qtbot):
    def work(stop):
        yield "begun"
        stop.wait()
        yield "best so far"

    job, events = Job(work), []
    job.happened.connect(lambda event: (events.append(event), job.stop()))
    with qtbot.waitSignal(job.ended, timeout=20_000):
        job.start()
    assert events == ["begun", "best so far"]


@pytest.mark.parametrize("leave", [Job.abandon, Job.deleteLater])
def test_work_that_nobody_waits_for_ends(qtbot, leave):
    begun, ended = threading.Event(), threading.Event()

    def work(stop):
        begun.set()
        stop.wait()
        ended.set()
        yield

    job = Job(work)
    job.start()
    qtbot.waitUntil(begun.is_set, timeout=20_000)
    leave(job)
    qtbot.waitUntil(ended.is_set, timeout=20_000)
    assert QThreadPool.globalInstance().waitForDone(20_000)


def test_steps_are_taken_in_order_with_the_window_alive_between_them(qtbot):
    turns, taken = Turns(), []

    def steps(name):
        taken.append((name, 1))
        yield
        taken.append((name, 2))

    turns.add(steps("a"))
    turns.add(steps("b"))
    assert taken == []
    qtbot.waitUntil(lambda: len(taken) == 4)
    assert taken == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def test_of_several_errands_only_the_last_is_told(qtbot):
    errand, told, go = Errand(), [], threading.Event()
    errand.done.connect(told.append)
    errand.ask(lambda: go.wait(5) and "first")
    errand.ask(lambda: go.wait(5) and "second")
    go.set()
    qtbot.waitUntil(lambda: told != [])
    assert QThreadPool.globalInstance().waitForDone(5000)
    qtbot.wait(50)
    assert told == ["second"]


def test_an_errand_in_vain_is_told_in_a_sentence(qtbot):
    def fetch():
        raise CryopickError("There is no such file.")

    errand = Errand()
    with qtbot.waitSignal(errand.done) as told:
        errand.ask(fetch)
    assert told.args == [Refused("There is no such file.")]
    with qtbot.waitSignal(errand.done) as told:
        errand.ask(lambda: 1 / 0)
    assert told.args == [Refused("Something went wrong: division by zero")]


def test_nothing_is_told_of_an_errand_that_is_forgotten(qtbot):
    errand, told = Errand(), []
    errand.done.connect(told.append)
    errand.ask(lambda: "late")
    errand.forget()
    assert QThreadPool.globalInstance().waitForDone(5000)
    qtbot.wait(50)
    assert told == []
