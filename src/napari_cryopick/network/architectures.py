"""Networks by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from .unet import UNet

PARTICLE_PX = 20.0
"""Particle diameter, in network pixels, that new models are trained for."""

AREA_RADIUS = 0.42
"""Of the disc that counts as a particle's area, in diameters."""

ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "compact": lambda: UNet((24, 48, 96, 128), fold=2),
    "unet-31m": lambda: UNet((64, 128, 256, 512, 1024), bridge="transpose"),
}


def parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(p.numel() for p in network.parameters())
