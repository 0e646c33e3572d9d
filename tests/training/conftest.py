"""Settings of a short training."""

from __future__ import annotations

import pytest

from napari_cryopick.training.settings import TrainSettings


@pytest.fixture
def quick() -> TrainSettings:
    """Enough to see that everything runs."""
    return TrainSettings(diameter_angstrom=160, steps=4, batch_size=2, patch_px=32, device="cpu")
