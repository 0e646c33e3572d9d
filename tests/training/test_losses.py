"""Losses: known values, and silence where nobody knows."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from torch import Tensor

from napari_cryopick.training.losses import LOSSES, bce, dice, focal, focal_dice

SHAPE = (2, 3, 5, 7)
EVERY = pytest.mark.parametrize("name", LOSSES)


def pixel(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), float(value))


def random(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(SHAPE, generator=generator)
    values = torch.rand(SHAPE, generator=generator).round()
    return logits, values, torch.ones(SHAPE)


@EVERY
def test_a_pixel_of_no_weight_counts_for_nothing(name):
    logits, values, weights = random()
    weights[:, :, 2] = 0
    logits.requires_grad_()
    loss = LOSSES[name](logits, values, weights)
    loss.backward()
    assert (logits.grad[:, :, 2] == 0).all()
    assert (logits.grad[:, :, 3] != 0).all()
    otherwise = torch.where(weights == 0, 1 - values, values)
    assert LOSSES[name](logits, otherwise, weights) == loss


@EVERY
def test_a_map_that_nobody_labelled_teaches_nothing(name):
    logits, values, weights = random()
    weights[:, 1] = 0
    logits.requires_grad_()
    loss = LOSSES[name](logits, values, weights)
    loss.backward()
    assert torch.isfinite(loss)
    assert (logits.grad[:, 1] == 0).all()
    assert (logits.grad[:, 0] != 0).any()


@EVERY
def test_the_truth_costs_almost_nothing_and_its_opposite_much(name):
    _, values, weights = random()
    right = LOSSES[name](20 * (2 * values - 1), values, weights)
    unsure = LOSSES[name](0 * values, values, weights)
    wrong = LOSSES[name](20 * (1 - 2 * values), values, weights)
    assert right < 1e-3
    assert right < unsure < wrong


def test_cross_entropy_by_hand():
    assert bce(pixel(0), pixel(1), pixel(1)) == pytest.approx(log(2))
    assert bce(pixel(2), pixel(0), pixel(1)) == pytest.approx(log(1 + exp(2)))


def test_weights_weigh():
    logits, values = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 0.0])
    weights = torch.tensor([1.0, 3.0])
    as_maps = (t.reshape(1, 1, 1, 2) for t in (logits, values, weights))
    assert bce(*as_maps) == pytest.approx((log(2) + 3 * log(1 + exp(3))) / 4)


def test_focal_loss_by_hand():
    particle = focal(pixel(0), pixel(1), pixel(1), alpha=0.25, gamma=2)
    assert particle == pytest.approx(0.25 * 0.5**2 * log(2))
    p = 1 / (1 + exp(-1))
    background = focal(pixel(1), pixel(0), pixel(1), alpha=0.25, gamma=2)
    assert background == pytest.approx(0.75 * p**2 * -log(1 - p))
    assert focal(pixel(1), pixel(0), pixel(1), alpha=0.5, gamma=0) == pytest.approx(
        bce(pixel(1), pixel(0), pixel(1)).item() / 2
    )


def test_dice_loss_by_hand():
    p, truth = torch.tensor([0.9, 0.6, 0.2]), torch.tensor([1.0, 0.0, 1.0])
    logits, values = (t.reshape(1, 1, 1, 3) for t in (torch.logit(p), truth))
    hit = 0.9 + 0.2
    found = dice(logits, values, torch.ones(1, 1, 1, 3))
    assert found == pytest.approx(1 - (2 * hit + 2) / (p.sum() + truth.sum() + 2).item())


def test_focal_and_dice_are_added():
    batch = random()
    parts = 0.7 * focal(*batch, alpha=0.25) + 0.3 * dice(*batch)
    assert focal_dice(*batch, alpha=0.25) == pytest.approx(parts.item())


@EVERY
def test_every_map_counts_alike(name):
    """However many of its pixels are labelled."""
    _, values, weights = random()
    weights[:, 0, 1:] = 0
    right = 20 * (2 * values - 1)
    losses = []
    for wrong in (0, 1):
        logits = right.clone()
        logits[:, wrong] *= -1
        losses.append(LOSSES[name](logits, values, weights).item())
    assert losses[0] == pytest.approx(losses[1], rel=0.5)
