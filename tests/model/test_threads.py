"""How OpenMP's threads wait, and how many of them a job in a window has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from napari_cryopick.model.threads import cores, leave_a_core

ASKED = ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY"]


def policy_in(code: str, **given: str) -> str:
    """Return what a program's environment says at its end about how OpenMP's threads wait."""
    environment = {name: value for name, value in os.environ.items() if name not in ASKED}
    shown = f"{code}; import os; print(os.environ.get('OMP_WAIT_POLICY'))"
    done = subprocess.run(
        [sys.executable, "-c", shown],
        env=environment | given,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]


TERMINAL = "from napari_cryopick.cli.main import main; main(['--version'])"
A_JOB = "from napari_cryopick.gui.widgets.jobs import Job; Job(iter)"


@pytest.mark.parametrize("code", [TERMINAL, A_JOB])
def test_threads_sleep_while_they_wait_in_the_terminal_and_in_jobs(code):
    assert policy_in(code) == "PASSIVE"
    assert policy_in(code, OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"


@pytest.mark.parametrize("name", ASKED[1:])
def test_what_a_user_has_set_in_another_way_is_left(name):
    assert policy_in(TERMINAL, **{name: "1"}) == "None"


@pytest.mark.parametrize("code", ["predict, train", "read_micrograph"])
def test_the_python_interface_leaves_the_environment_of_its_host(code):
    assert policy_in(f"from napari_cryopick import {code}") == "None"


@pytest.mark.parametrize(("before", "asked"), [(1, None), (8, None), (8, "8")])
def test_a_core_is_left_while_a_job_runs(before, asked, monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    torch.set_num_threads(before)
    try:
        with leave_a_core():
            assert torch.get_num_threads() == (8 if asked else min(before, max(1, cores() - 1)))
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(threads)
