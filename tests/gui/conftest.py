"""Small micrographs, and a model that finds something in them."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManager

from napari_cryopick.gui.reader import read_stacks

PIXEL_SIZE_ANGSTROM = 2.0
SHAPES = {"a.mrc": (160, 192), "b.mrc": (128, 160), "c.mrc": (160, 192)}


@pytest.fixture(scope="session", autouse=True)
def _plugins() -> None:
    """The plugins that are installed, this one among them."""
    PluginManager.instance().discover()


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

    from napari_cryopick.network.architectures import ARCHITECTURES
    from napari_cryopick.network.card import ModelCard
    from napari_cryopick.network.weights import Model, save_weights

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "untrained.safetensors"
    card = ModelCard(architecture="compact", particle_px=20, threshold=0.3)
    save_weights(path, Model(ARCHITECTURES["compact"]().eval(), card))
    return path
