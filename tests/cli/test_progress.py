from __future__ import annotations

import signal

import pytest

from napari_cryopick.cli.progress import Progress, stop_on_interrupt


def test_away_from_a_terminal_each_tenth_is_one_plain_line(capsys):
    with Progress("Picking") as progress:
        for done in range(1, 301):
            progress.update(done, 300, f"{done}.mrc")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(",")[0] for line in err.splitlines()] == [
        f"Picking {done}/300" for done in range(30, 301, 30)
    ]
    assert err.splitlines()[-1] == "Picking 300/300, 0 s left, 300.mrc"


def test_ctrl_c_sets_the_stop_token_and_a_second_one_leaves():
    with stop_on_interrupt() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_itself_again_afterwards():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
