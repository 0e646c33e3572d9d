"""What tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real micrographs with labels; see CONTRIBUTING.md."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real micrographs are not at {folder}")
    return folder


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """File permissions bind even if the tests are run by root."""
    user = os.geteuid()
    if user != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(user)
