from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick.gui.layers.curation import History


@given(st.lists(st.integers(), max_size=20))
def test_undo_leads_back_to_the_first_state_and_redo_to_the_last(states):
    history = History(0)
    for state in states:
        history.record(state)
    assert [history.undo() for _ in states] == [*reversed(states[:-1]), *[0][: len(states)]]
    assert history.undo() is None
    assert [history.redo() for _ in states] == states
    assert history.redo() is None
    assert history.current == ([0, *states])[-1]


def test_steps_of_one_kind_are_undone_together():
    history = History("start")
    for state in ("one", "two", "three"):
        history.record(state, kind="prediction")
    history.record("edit")
    assert history.undo() == "three"
    assert history.undo() == "start"


def test_a_new_step_forgets_what_was_undone():
    history = History(0)
    history.record(1)
    history.undo()
    history.record(2)
    assert history.redo() is None
    assert history.undo() == 0


def test_only_so_many_steps_are_remembered():
    history = History(0, limit=2)
    for state in (1, 2, 3):
        history.record(state)
    assert [history.undo() for _ in range(3)] == [2, 1, None]
