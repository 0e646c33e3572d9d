from __future__ import annotations

import json

import pytest

from napari_cryopick.runs.read import is_finished, told_by_the_end

STARTED, STEP = {"event": "Started"}, {"event": "Step", "losses": {"total": 0.5}}
STOPPED, ENDED = ({"event": "Finished", "stopped": stopped} for stopped in (True, False))


FIRST, SECOND = ({"event": "Iteration", "name": name} for name in ("first", "second"))


def write(log, events):
    log.write_text("".join(json.dumps(event) + "\n" for event in events))


@pytest.mark.parametrize(
    ("events", "finished"),
    [
        ([], False),
        ([STARTED, STEP], False),
        ([STARTED, STOPPED], False),
        ([STARTED, ENDED], True),
        ([STARTED, STOPPED, STARTED, ENDED], True),
        ([STARTED, ENDED, STARTED, STEP], False),
        ([STARTED, ENDED, STARTED, STOPPED], False),
        ([*[STEP] * 5000, ENDED], True),
    ],
)
def test_a_run_is_finished_if_it_ended_without_being_stopped(tmp_path, events, finished):
    log = tmp_path / "events.jsonl"
    write(log, events)
    assert is_finished(log) == finished


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([STARTED, FIRST], set()),
        ([STARTED, FIRST, STOPPED], set()),
        ([STARTED, FIRST, ENDED], {"first"}),
        ([STARTED, FIRST, ENDED, STARTED, FIRST, STEP, SECOND], {"first"}),
        ([STARTED, FIRST, ENDED, STARTED, FIRST, SECOND, STOPPED], {"first"}),
        ([STARTED, FIRST, STOPPED, STARTED, FIRST, SECOND, ENDED], {"first", "second"}),
    ],
)
def test_what_came_after_the_last_end_was_not_told_by_then(tmp_path, events, told):
    log = tmp_path / "events.jsonl"
    write(log, events)
    assert told_by_the_end(log) == told


def test_a_line_that_was_cut_off_is_no_end_and_no_log_is_none(tmp_path):
    log = tmp_path / "events.jsonl"
    assert not is_finished(log)
    assert told_by_the_end(log) == set()
    write(log, [FIRST, ENDED, SECOND])
    with log.open("a") as file:
        file.write(json.dumps(ENDED)[:-1])
    assert not is_finished(log)
    assert told_by_the_end(log) == {"first"}
