"""Inputs that people had trouble with."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of these inputs, one folder each."""
    folder = Path(__file__).parents[3] / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip(f"the inputs are not at {folder}")
    return folder
