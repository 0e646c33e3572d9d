"""Logits do not depend on how the image is cut or turned."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_cryopick.detection import inference
from napari_cryopick.detection.inference import infer
from napari_cryopick.model.unet import ARCHITECTURES


@pytest.fixture(scope="module", params=["compact", "unet-31m"])
def network(request) -> nn.Module:
    """Contrasts reach as far and as strongly through it as through a trained one."""
    torch.manual_seed(0)
    network = ARCHITECTURES[request.param]().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(0.1)
    return network


@pytest.fixture(scope="module")
def compact() -> nn.Module:
    torch.manual_seed(0)
    return ARCHITECTURES["compact"]().eval()


@pytest.fixture
def small_tiles(monkeypatch) -> None:
    """Tiles as a micrograph far too large for memory would get them."""
    monkeypatch.setattr(inference, "WHOLE_PX", 0)
    monkeypatch.setattr(inference, "TILE_PX", 64)


def noise(h: int, w: int) -> Tensor:
    return torch.randn(h, w, generator=torch.Generator().manual_seed(1))


def test_tiles_give_what_the_whole_picture_gives(network, request):
    image = noise(40, 400)
    whole = infer(network, image)
    request.getfixturevalue("small_tiles")
    tiled = infer(network, image)
    assert whole.shape == (3, 40, 400)
    torch.testing.assert_close(tiled, whole, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_averaged_maps_turn_with_the_image(compact, turns):
    image = noise(70, 53)
    turned = infer(compact, torch.rot90(image, turns), averaging=True)
    expected = torch.rot90(infer(compact, image, averaging=True), turns, (-2, -1))
    torch.testing.assert_close(turned, expected, atol=1e-4, rtol=1e-4)


def test_averaged_maps_flip_with_the_image(compact):
    image = noise(70, 53)
    flipped = infer(compact, image.flip(-1), averaging=True)
    expected = infer(compact, image, averaging=True).flip(-1)
    torch.testing.assert_close(flipped, expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(infer(compact, image.flip(-1)), infer(compact, image).flip(-1))


@pytest.mark.usefixtures("small_tiles")
def test_tiles_can_be_averaged_too(compact):
    image = noise(70, 90)
    assert infer(compact, image, averaging=True).shape == (3, 70, 90)


def test_no_gradients_are_kept(compact):
    assert not infer(compact, noise(32, 32)).requires_grad
