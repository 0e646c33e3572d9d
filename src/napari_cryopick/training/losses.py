"""Losses by name: (logits, values, weights) of shape (n, 3, h, w) to one number.

Weights of 0 leave a pixel out; every map counts alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]

PIXELS = (0, 2, 3)


def bce(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Binary cross-entropy."""
    entropy = F.binary_cross_entropy_with_logits(logits, values, reduction="none")
    return _mean(entropy, weights)


def focal(
    logits: Tensor, values: Tensor, weights: Tensor, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Focal loss of Lin et al. 2017 (arXiv 1708.02002), for soft values as in arXiv 2006.04388."""
    entropy = F.binary_cross_entropy_with_logits(logits, values, reduction="none")
    balance = alpha * values + (1 - alpha) * (1 - values)
    error = (values - torch.sigmoid(logits)).abs()
    return _mean(balance * error**gamma * entropy, weights)


def dice(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Soft Dice loss of Milletari et al. 2016 (arXiv 1606.04797)."""
    p = torch.sigmoid(logits)
    hit = (weights * p * values).sum(PIXELS)
    error = (weights * (p * (1 - values) + (1 - p) * values)).sum(PIXELS)
    return (1 - (hit + 1) / (hit + 0.5 * error + 1)).mean()


def focal_dice(
    logits: Tensor,
    values: Tensor,
    weights: Tensor,
    focal_share: float = 0.7,
    dice_share: float = 0.3,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Tensor:
    """Return the weighted sum of focal and Dice loss."""
    return focal_share * focal(logits, values, weights, alpha, gamma) + dice_share * dice(
        logits, values, weights
    )


def _mean(pixels: Tensor, weights: Tensor) -> Tensor:
    mass = weights.sum(PIXELS).clamp_min(1.0)
    return ((pixels * weights).sum(PIXELS) / mass).mean()


LOSSES: dict[str, Loss] = {"focal-dice": focal_dice, "bce": bce}


def make_loss(name: str, focal_alpha: float) -> Loss:
    """Return the loss of this name; `focal_alpha` applies where it has a focal term."""
    return partial(focal_dice, alpha=focal_alpha) if name == "focal-dice" else LOSSES[name]
