"""Share the processor with what else runs on it: other jobs, other programs, a window."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")
"""What a user may have set about how OpenMP's threads wait, for GNU and for LLVM or Intel."""


def wait_passively() -> None:
    """Have OpenMP's threads sleep while they wait, unless the environment says how they wait.

    They spin by default, and two trainings at once on two cores slow each other sevenfold. It
    holds if called before torch is loaded; only the faces call it.
    """
    if not any(name in os.environ for name in _WAITING):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


@contextmanager
def leave_a_core() -> Iterator[None]:
    """Let torch use one core less than there are, unless the environment says how many it uses.

    It holds for this thread, and for threads that begin to use torch meanwhile.
    """
    import torch

    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(before, max(1, cores() - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
