"""Strong augmentation of grey values: functions from batch to batch.

`strength` 0 changes nothing, 1 is strong. Geometry is varied where patches are cut (`patches`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .patches import Batch
from .targets import CONTAMINATION

Augmentation = Callable[[Batch, float, Generator], Batch]


def contrast(batch: Batch, strength: float, generator: Generator) -> Batch:
    """Scale and shift the grey values of each patch."""
    gain = torch.exp(0.4 * strength * _centred(batch, generator))
    shift = 0.3 * strength * _centred(batch, generator)
    return replace(batch, images=batch.images * gain + shift)


def gradient(batch: Batch, strength: float, generator: Generator) -> Batch:
    """Add a linear ramp of illumination."""
    h, w = batch.images.shape[-2:]
    y = torch.linspace(-1, 1, h)[:, None] * _centred(batch, generator)
    x = torch.linspace(-1, 1, w)[None, :] * _centred(batch, generator)
    return replace(batch, images=batch.images + 0.3 * strength * (y + x))


def blur(batch: Batch, strength: float, generator: Generator) -> Batch:
    """Mix in a smoothed copy, as defocus and thick ice do."""
    share = 0.6 * strength * _uniform(batch, generator) * _coin(batch, 0.5, generator)
    smooth = F.avg_pool2d(batch.images, 3, stride=1, padding=1)
    return replace(batch, images=torch.lerp(batch.images, smooth, share.clamp(0, 1)))


def noise(batch: Batch, strength: float, generator: Generator) -> Batch:
    """Add white noise of up to half the image's own spread."""
    level = 0.5 * strength * _uniform(batch, generator) * _coin(batch, 0.7, generator)
    grain = torch.randn(batch.images.shape, generator=generator)
    return replace(batch, images=batch.images + level * grain)


def fake_ice(batch: Batch, strength: float, generator: Generator) -> Batch:
    """Drop dark balls of ice on some patches, labelled as contamination.

    Their edge is as irregular as a few random waves make it; they are both larger and darker
    than particles.
    """
    n, _, h, w = batch.images.shape
    y = torch.arange(h)[:, None] - h * torch.rand(n, 1, 1, 1, generator=generator)
    x = torch.arange(w)[None, :] - w * torch.rand(n, 1, 1, 1, generator=generator)
    radius = h * (0.12 + 0.25 * torch.rand(n, 1, 1, 1, generator=generator))
    angle = torch.atan2(y, x)
    for wave in (2, 3, 5):
        phase = torch.rand(n, 1, 1, 1, generator=generator) * 2 * torch.pi
        radius = radius * (1 + 0.1 * torch.cos(wave * angle + phase))
    depth = ((radius - torch.hypot(y, x)) / (0.15 * radius)).clamp(0, 1)
    depth = depth * _coin(batch, 0.25 * strength, generator)
    darkness = 2 + 3 * torch.rand(n, 1, 1, 1, generator=generator)
    inside = depth > 0.5
    ice = torch.zeros_like(batch.values)
    ice[:, CONTAMINATION] = 1.0
    return Batch(
        (batch.images * (1 - 0.5 * depth) - darkness * depth).clamp(-5, 5),
        torch.where(inside, ice, batch.values),
        torch.where(inside, 1.0, batch.weights * (depth == 0)),
    )


AUGMENTATIONS: dict[str, Augmentation] = {
    "contrast": contrast,
    "gradient": gradient,
    "blur": blur,
    "noise": noise,
    "fake-ice": fake_ice,
}


def augment(batch: Batch, strength: float, generator: Generator) -> Batch:
    """Apply all augmentations one after the other."""
    for change in AUGMENTATIONS.values():
        batch = change(batch, strength, generator)
    return batch


def _uniform(batch: Batch, generator: Generator) -> Tensor:
    return torch.rand(len(batch.images), 1, 1, 1, generator=generator)


def _centred(batch: Batch, generator: Generator) -> Tensor:
    return _uniform(batch, generator) * 2 - 1


def _coin(batch: Batch, chance: float, generator: Generator) -> Tensor:
    return (_uniform(batch, generator) < chance).float()
