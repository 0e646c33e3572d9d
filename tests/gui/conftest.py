"""Small micrographs, a model that finds something in them, and runs written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import yaml
from napari import settings
from napari.components import ViewerModel
from npe2 import PluginManager

from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.io import PickSet, write_picks
from napari_cryopick.picks import Picks

PIXEL_SIZE_ANGSTROM = 2.0
SHAPES = {"a.mrc": (160, 192), "b.mrc": (128, 160), "c.mrc": (160, 192)}


@pytest.fixture(scope="session", autouse=True)
def _plugins() -> None:
    """The plugins that are installed, this one among them."""
    PluginManager.instance().discover()


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """The folder of one's own models; what a developer has set in napari does not count."""
    monkeypatch.setattr(settings, "_CFG_PATH", str(tmp_path / "settings.yaml"))
    monkeypatch.setenv("NAPARI_CRYOPICK_MODELS", str(tmp_path / "models"))
    settings._clear_plugin_settings_cache()
    yield tmp_path / "models"
    settings._clear_plugin_settings_cache()


def write_mrc(path: Path, pixels: np.ndarray, pixel_size_angstrom: float = PIXEL_SIZE_ANGSTROM):
    with mrcfile.new(path, pixels) as mrc:
        mrc.voxel_size = pixel_size_angstrom
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three micrographs of noise, one smaller than the others."""
    folder = tmp_path / "micrographs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, shape in SHAPES.items():
        write_mrc(folder / name, rng.normal(10, 2, shape).astype(np.float32))
    return folder


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window."""
    return ViewerModel()


@pytest.fixture
def image(viewer, folder):
    """The three micrographs, open in the viewer."""
    pixels, attributes, _ = read_stacks(str(folder))[0]
    return viewer.add_image(pixels, **attributes)


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """Weights that nobody has trained."""
    import torch

    from napari_cryopick.model.card import ModelCard
    from napari_cryopick.model.unet import ARCHITECTURES
    from napari_cryopick.model.weights import Model, save_weights

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "untrained.safetensors"
    card = ModelCard(architecture="compact", particle_px=20, threshold=0.3)
    save_weights(path, Model(ARCHITECTURES["compact"]().eval(), card))
    return path


@dataclass(frozen=True)
class Run:
    """A run of self-training, as it lies on disk."""

    path: Path

    @classmethod
    def begin(cls, path: Path, rounds: int = 2, *, finished: bool = True) -> Run:
        """Write what there is before the first iteration is judged, and perhaps the last event."""
        path.mkdir(parents=True)
        settings = {"diameter_angstrom": 40.0, "pixel_size_angstrom": 2.0, "rounds": rounds}
        (path / "settings.yaml").write_text(yaml.safe_dump(settings))
        events = ["Started", "Step", *["Finished"] * finished]
        (path / "events.jsonl").write_text(
            "".join(json.dumps({"event": event}) + "\n" for event in events)
        )
        return cls(path)

    def judge(
        self,
        number: int,
        picks: Mapping[Path, Picks],
        best: bool = True,
        kind: str = "",
        **metrics: Any,
    ) -> Path:
        """Write an iteration, the best one so far or one that is rolled back."""
        kind = kind or ("selftrain" if number else "supervised")
        folder = self.path / f"iteration_{number}_{kind}"
        folder.mkdir()
        figures = {"number": number, "accepted": best, "reason": "Because.", "f1": 0.8}
        figures |= {"average_precision": None, "threshold": 0.3, "complete": False}
        figures |= {"count": sum(map(len, picks.values()))}
        (folder / "metrics.json").write_text(json.dumps(figures | metrics))
        named = {str(path): table for path, table in picks.items()}
        write_picks(folder / "picks.star", PickSet(named, PIXEL_SIZE_ANGSTROM))
        if best:
            (self.path / "best").unlink(missing_ok=True)
            (self.path / "best").symlink_to(folder.name)
        return folder


@pytest.fixture
def begin_run():
    """Writes a run of self-training."""
    return Run.begin
