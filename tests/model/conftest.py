"""Small models in files and in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_cryopick.model.card import ModelCard
from napari_cryopick.model.registry import VARIABLE
from napari_cryopick.model.unet import ARCHITECTURES
from napari_cryopick.model.weights import Model, save_weights

Save = Callable[..., Path]


def _save(path: Path, threshold: float = 0.5, **card: Any) -> Path:
    made = ModelCard(architecture="compact", particle_px=20, threshold=threshold, **card)
    save_weights(path, Model(ARCHITECTURES["compact"](), made))
    return path


@pytest.fixture(scope="session")
def save() -> Save:
    """Writes a model that nobody has trained."""
    return _save


@pytest.fixture
def run(tmp_path) -> Path:
    """A run of two iterations of which the first is the better."""
    run = tmp_path / "my run"
    _save(run / "iteration_0_supervised" / "model.safetensors", 0.25)
    _save(run / "iteration_1_selftrain" / "model.safetensors", 0.75)
    (run / "best").symlink_to("iteration_0_supervised")
    return run


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """The folder of one's own models."""
    folder = tmp_path / "own models"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder
