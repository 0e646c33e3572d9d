from __future__ import annotations

import gc
import sys
import threading

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QThreadPool

from napari_cryopick import CryopickError
from napari_cryopick.gui.widgets.jobs import Job, JobError, LatestWorker, StepQueue


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

    assert run_to_end(work, qtbot) == [1, JobError("No picks are given.")]


@pytest.mark.parametrize("mistake", [ZeroDivisionError, RuntimeError])
def test_a_mistake_of_ours_ends_the_job_and_is_told_too(qtbot, mistake):
    def work(stop):
        yield 1
        raise mistake("out of memory")

    with notification_manager:
        assert run_to_end(work, qtbot) == [1, JobError("Something went wrong: out of memory")]


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
    queue, taken = StepQueue(), []

    def steps(name):
        taken.append((name, 1))
        yield
        taken.append((name, 2))

    queue.add(steps("a"))
    queue.add(steps("b"))
    assert taken == []
    qtbot.waitUntil(lambda: len(taken) == 4)
    assert taken == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def test_of_several_requests_only_the_last_is_answered(qtbot):
    worker, answers, go = LatestWorker(), [], threading.Event()
    worker.done.connect(answers.append)
    worker.ask(lambda: go.wait(5) and "first")
    worker.ask(lambda: go.wait(5) and "second")
    go.set()
    qtbot.waitUntil(lambda: answers != [])
    assert QThreadPool.globalInstance().waitForDone(5000)
    qtbot.wait(50)
    assert answers == ["second"]


def test_a_request_that_fails_is_answered_in_a_sentence(qtbot):
    def fetch():
        raise CryopickError("There is no such file.")

    worker = LatestWorker()
    with qtbot.waitSignal(worker.done) as answer:
        worker.ask(fetch)
    assert answer.args == [JobError("There is no such file.")]


def test_what_is_no_longer_wanted_is_not_answered(qtbot):
    worker, answers = LatestWorker(), []
    worker.done.connect(answers.append)
    worker.ask(lambda: "late")
    worker.leave()
    assert QThreadPool.globalInstance().waitForDone(5000)
    qtbot.wait(50)
    assert answers == []


def test_a_job_leaves_the_interpreter_of_the_host_as_it_is(qtbot):
    def state():
        return sys.getswitchinterval(), gc.get_threshold(), gc.isenabled()

    def work(stop):
        yield state()

    assert run_to_end(work, qtbot) == [state()]
