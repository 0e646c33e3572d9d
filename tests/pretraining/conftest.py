"""A small real structure."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest


@pytest.fixture(scope="session")
def structure(tmp_path_factory) -> Path:
    """A map of a ball, 100 Å wide."""
    z, y, x = np.mgrid[:40, :40, :40]
    ball = ((x - 20) ** 2 + (y - 20) ** 2 + (z - 20) ** 2 <= 12**2).astype(np.float32)
    path = tmp_path_factory.mktemp("structure") / "ball.mrc"
    with mrcfile.new(path, ball) as mrc:
        mrc.voxel_size = 4.0
    return path
