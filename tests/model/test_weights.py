"""Weights go to disk and come back; files of others are refused in a sentence."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_cryopick import CryopickError
from napari_cryopick.model.card import Calibration, ModelCard
from napari_cryopick.model.unet import ARCHITECTURES
from napari_cryopick.model.weights import Model, load_weights, save_weights

CARD = ModelCard(
    architecture="compact",
    particle_px=20,
    calibration=Calibration(slope=1.3, offset=-0.2),
    threshold=0.37,
    settings={"diameter_angstrom": 130.0, "seed": 4},
    metrics={"f1": 0.9, "average_precision": None},
)


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    network = ARCHITECTURES["compact"]()
    network(torch.randn(2, 1, 32, 32))  # moves the running means of batch norm
    return Model(network.eval(), CARD)


def test_weights_and_card_come_back_exactly(model, tmp_path):
    path = tmp_path / "new" / "model.safetensors"
    save_weights(path, model)
    loaded = load_weights(path)
    assert loaded.card == CARD
    assert not loaded.network.training
    before, after = model.network.state_dict(), loaded.network.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    image = torch.randn(1, 1, 40, 40)
    with torch.inference_mode():
        torch.testing.assert_close(loaded.network(image), model.network(image))


def test_nothing_but_the_weights_is_left_in_the_folder(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(path, model)
    save_weights(path, model)
    assert list(tmp_path.iterdir()) == [path]


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("data_\n\nloop_\n" * 100)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": [1.0, 2.0]}))


def torch_pickle(path: Path) -> None:
    torch.save(ARCHITECTURES["compact"]().state_dict(), path)


def another_program(path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})


def unknown_architecture(path: Path) -> None:
    card = CARD.model_copy(update={"architecture": "transformer"})
    save_weights(path, Model(ARCHITECTURES["compact"](), card))


def other_architecture(path: Path) -> None:
    card = CARD.model_copy(update={"architecture": "unet-31m"})
    save_weights(path, Model(ARCHITECTURES["compact"](), card))


def card_in_prose(path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, path, {"napari-cryopick": "a fine model"})


def card_of_nothing(path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, path, {"napari-cryopick": "null"})


def missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        *(nothing, text, pickled, torch_pickle, another_program, unknown_architecture),
        *(other_architecture, card_in_prose, card_of_nothing, missing, folder),
    ],
)
def test_what_is_not_a_model_of_ours_is_refused(spoil: Callable[[Path], None], tmp_path):
    path = tmp_path / "model.safetensors"
    spoil(path)
    with pytest.raises(CryopickError) as caught:
        load_weights(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("share", [0.00001, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(share, model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(path, model)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CryopickError, match=r"model\.safetensors is not a model file"):
        load_weights(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_and_the_old_weights_stay(model, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_text("old")
    (tmp_path / f".model.{os.getpid()}.safetensors").symlink_to("/dev/full")
    with pytest.raises(CryopickError, match=rf"{tmp_path} is on a full disk"):
        save_weights(path, model)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("unprivileged")
def test_a_forbidden_folder_is_reported(model):
    with pytest.raises(CryopickError, match="cannot be written to"):
        save_weights(Path("/run_of_nobody/model.safetensors"), model)
