from __future__ import annotations

import json

import pytest

from napari_cryopick.evaluation.run_log import is_finished

STARTED, STEP = {"event": "Started"}, {"event": "Step", "losses": {"total": 0.5}}
STOPPED, ENDED = ({"event": "Finished", "stopped": stopped} for stopped in (True, False))


@pytest.mark.parametrize(
    ("events", "now", "ever"),
    [
        ([], False, False),
        ([STARTED, STEP], False, False),
        ([STARTED, STOPPED], False, False),
        ([STARTED, ENDED], True, True),
        ([STARTED, STOPPED, STARTED, ENDED], True, True),
        ([STARTED, ENDED, STARTED, STEP], False, True),
        ([STARTED, ENDED, STARTED, STOPPED], False, True),
        ([*[STEP] * 5000, ENDED], True, True),
    ],
)
def test_a_run_is_finished_if_it_ended_without_being_stopped(tmp_path, events, now, ever):
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert is_finished(log) == now
    assert is_finished(log, ever=True) == ever


def test_a_line_that_was_cut_off_is_no_end_and_no_log_is_none(tmp_path):
    log = tmp_path / "events.jsonl"
    assert not is_finished(log)
    assert not is_finished(log, ever=True)
    log.write_text(json.dumps(ENDED) + "\n" + json.dumps(ENDED)[:-1])
    assert not is_finished(log)
    assert is_finished(log, ever=True)
