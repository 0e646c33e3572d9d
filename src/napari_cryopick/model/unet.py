"""The networks: U-Nets from one image to three probability maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAP_NAMES = ("area", "centre", "contamination")
"""What the maps give the probability of: lies on a particle, is the centre of one, is dirt."""


class UNet(nn.Module):
    """A U-Net after Ronneberger et al. 2015 (arXiv 1505.04597), with batch norm and padding.

    `widths` are the channels per level, finest first; each level halves the resolution. Blocks of
    `fold` x `fold` pixels become channels before the first level and pixels again after the last:
    1 leaves them alone, 2 costs a quarter. Features come up a level by the bridge: "transpose"
    learns it (the classical way), "nearest" repeats pixels.
    """

    def __init__(self, widths: Sequence[int], fold: int = 1, bridge: str = "nearest") -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.fold = nn.PixelUnshuffle(fold)
        self.stem = _double_convolution(fold**2, widths[0])
        self.down = nn.ModuleList(_double_convolution(fine, coarse) for fine, coarse in pairs)
        pairs.reverse()
        self.up = nn.ModuleList(_bridge(bridge, coarse, fine) for fine, coarse in pairs)
        self.merge = nn.ModuleList(_double_convolution(2 * fine, fine) for fine, _ in pairs)
        self.head = nn.Conv2d(widths[0], len(MAP_NAMES) * fold**2, 1)
        self.unfold = nn.PixelShuffle(fold)
        self.block = fold * 2 ** len(pairs)
        nn.init.constant_(self.head.get_parameter("bias"), -2.0)

    def forward(self, image: Tensor) -> Tensor:
        """Return (n, 3, h, w) logits of (n, 1, h, w) normalised images, for any h and w."""
        h, w = image.shape[-2:]
        padded = F.pad(image, (0, -w % self.block, 0, -h % self.block))
        features = self.stem(self.fold(padded))
        skips = []
        for down in self.down:
            skips.append(features)
            features = down(F.max_pool2d(features, 2))
        for up, merge in zip(self.up, self.merge, strict=True):
            features = merge(torch.cat([skips.pop(), up(features)], dim=1))
        logits: Tensor = self.unfold(self.head(features))
        return logits[..., :h, :w]


def _double_convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _bridge(kind: str, coarse: int, fine: int) -> nn.Module:
    if kind == "transpose":
        return nn.ConvTranspose2d(coarse, fine, 2, stride=2)
    return nn.Sequential(nn.Conv2d(coarse, fine, 1), nn.Upsample(scale_factor=2, mode="nearest"))


class Ensemble(nn.Module):
    """The mean of the probabilities of networks from (n, 1, h, w) images to (n, c, h, w) logits."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of the mean probability of (n, 1, h, w) images."""
        probabilities = torch.stack([member(image).float().sigmoid() for member in self.members])
        return torch.logit(probabilities.mean(dim=0), eps=1e-6)


PARTICLE_PX = 20.0
"""Particle diameter, in network pixels, that new models are trained for."""

AREA_RADIUS = 0.42
"""Of the disc that counts as a particle's area, in diameters."""

ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "compact": lambda: UNet((24, 48, 96, 128), fold=2),
    "unet-31m": lambda: UNet((64, 128, 256, 512, 1024), bridge="transpose"),
}


def parameters(network: nn.Module) -> int:
    """Return how many numbers a network learns."""
    return sum(p.numel() for p in network.parameters())
