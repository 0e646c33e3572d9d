"""Run a network on a prepared image: whole where memory allows, in overlapping tiles where not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor, nn

from ..imaging.margins import Margins
from .events import Maps

WHOLE_PX = 2048 * 2048
"""Largest image that is not cut into tiles: that of a 4k micrograph with particles of 40 px."""

TILE_PX, OVERLAP_PX = 1024, 128
"""Edge of a tile, and what is added around it: more than the networks' receptive radius of about
100 px, so that tiles give what the whole image gives."""


def predict_maps(
    network: nn.Module,
    image: Tensor,
    scale: float,
    averaging: bool = False,
    margins: Margins | None = None,
) -> Maps:
    """Return the probability maps of a prepared image, `scale` map px per micrograph px."""
    maps = infer(network, image, averaging).sigmoid().numpy()
    if margins is not None:
        maps[:, ~margins.image] = 0.0
    area, centre, contamination = maps
    return Maps(area, centre, contamination, scale, margins)


@torch.inference_mode()
def infer(network: nn.Module, image: Tensor, averaging: bool = False) -> Tensor:
    """Return the (3, h, w) logits of a (h, w) prepared image, on the CPU.

    The network must be in evaluation mode. `averaging` takes the mean over the eight flips and
    right-angle rotations.
    """
    n_views = 8 if averaging else 1
    logits = torch.zeros(3, *image.shape)
    for i in range(n_views):
        turned = torch.rot90(image, i)
        seen = _in_tiles(network, turned.flip(-1) if i >= 4 else turned)
        logits += torch.rot90(seen.flip(-1) if i >= 4 else seen, -i, (-2, -1))
    return logits / n_views


def _in_tiles(network: nn.Module, image: Tensor) -> Tensor:
    if image.numel() <= WHOLE_PX:
        return _run(network, image)
    logits = torch.empty(3, *image.shape)
    for (seen_y, kept_y, inner_y), (seen_x, kept_x, inner_x) in product(*map(_spans, image.shape)):
        tile = _run(network, image[seen_y, seen_x])
        logits[:, kept_y, kept_x] = tile[:, inner_y, inner_x]
    return logits


def _spans(length: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield tiles along one axis: what the network sees, what is kept of it, and where in it."""
    for start in range(0, length, TILE_PX):
        stop, first = min(start + TILE_PX, length), max(0, start - OVERLAP_PX)
        seen = slice(first, min(length, stop + OVERLAP_PX))
        yield seen, slice(start, stop), slice(start - first, stop - first)


def _run(network: nn.Module, image: Tensor) -> Tensor:
    device = next(network.parameters()).device
    batch = image[None, None].to(device).contiguous(memory_format=torch.channels_last)
    logits: Tensor = network(batch)[0].float().cpu()
    return logits
