"""Patches show image and target of one place, however they are turned and bent."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from napari_cryopick.imaging.margins import Margins
from napari_cryopick.training.patches import Batch, TrainingImage, sample_batch
from napari_cryopick.training.targets import CENTRE, Target

SHAPE = (110, 140)
PICKS = torch.tensor([[30.0, 40.0], [75.5, 100.25], [60.0, 20.0]])


def dots(positions: Tensor) -> Tensor:
    """A Gaussian dot at each position."""
    y, x = torch.meshgrid(*(torch.arange(float(n)) for n in SHAPE), indexing="ij")
    squared = (y - positions[:, 0, None, None]) ** 2 + (x - positions[:, 1, None, None]) ** 2
    return torch.exp(-squared / (2 * 3.0**2)).sum(dim=0)


def field(image: Tensor, positions: Tensor = PICKS) -> TrainingImage:
    """A field whose three targets are its image."""
    values = image.expand(3, -1, -1).clone()
    return TrainingImage.of(image, Target(values, torch.ones_like(values)), positions)


def sample(size: int, patch_px: int, strength: float, seed: int = 0, fields=None) -> Batch:
    generator = Generator().manual_seed(seed)
    return sample_batch(fields or [field(dots(PICKS))], size, patch_px, strength, generator)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_image_and_target_move_together(seed, strength):
    batch = sample(4, 64, strength, seed)
    inside = batch.weights[:, :1] > 0.999
    for layer in range(3):
        difference = batch.images - batch.values[:, layer : layer + 1]
        assert difference[inside].abs().max() < 0.06


def test_the_dots_of_the_field_are_in_the_patches():
    """The test above would pass with empty patches."""
    batch = sample(64, 64, 1.0)
    assert (batch.values[::2, CENTRE].amax(dim=(1, 2)) > 0.9).all()
    assert 0.2 < (batch.values[1::2, CENTRE].amax(dim=(1, 2)) > 0.9).float().mean() < 1


def test_without_augmentation_a_patch_is_a_piece_of_the_field():
    y, x = torch.meshgrid(*(torch.arange(float(n)) for n in SHAPE), indexing="ij")
    for image, axis in ((y, -2), (x, -1)):
        batch = sample(6, 32, 0.0, fields=[field(image)])
        steps = batch.images.diff(dim=axis)
        sure = (batch.weights[:, :1] == 1).all(dim=axis, keepdim=True).expand_as(steps)
        assert sure.any()
        torch.testing.assert_close(steps[sure], torch.ones_like(steps[sure]), atol=0.01, rtol=0)


def test_augmentation_turns_every_way():
    _, x = torch.meshgrid(*(torch.arange(float(n)) for n in SHAPE), indexing="ij")
    batch = sample(40, 32, 1.0, fields=[field(x)])
    middle = batch.images[:, 0, 15:17, 15:17]
    slopes = torch.stack([middle.diff(dim=d).mean(dim=(1, 2)) for d in (1, 2)], dim=1)
    assert (slopes.amin(dim=0) < -0.7).all()
    assert (slopes.amax(dim=0) > 0.7).all()


def test_beyond_the_edge_nothing_is_known():
    whole = field(torch.ones(SHAPE), torch.tensor([[0.0, 0.0]]))
    batch = sample(20, 64, 0.0, fields=[whole])
    outside = batch.images[:, 0] == 0
    assert outside.any()
    assert (batch.weights.amax(dim=1)[outside] == 0).all()


def test_fields_without_picks_are_sampled_too():
    empty = field(torch.full(SHAPE, 0.5), torch.empty(0, 2))
    assert len(sample(5, 32, 1.0, fields=[empty]).images) == 5
    both = sample(40, 32, 0.0, fields=[empty, field(dots(PICKS))])
    assert (both.images[1::2].flatten(1).median(dim=1).values == 0.5).any()


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_seed_repeats_a_batch(strength):
    first, again, other = (sample(4, 48, strength, seed) for seed in (7, 7, 8))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.values, again.values)
    assert not torch.equal(first.images, other.images)


def test_no_patch_is_centred_in_a_margin():
    """Patches as wide as the margin then never lie in it alone."""
    image = torch.ones(SHAPE, dtype=torch.bool)
    image[:60], image[:, :80] = False, False
    dark = Target(torch.zeros(3, *SHAPE), torch.zeros(3, *SHAPE))
    margins = Margins((60, 0, 80, 0), image.numpy())
    of = TrainingImage.of(image.float(), dark, torch.empty(0, 2), margins)
    batch = sample(64, 33, 0.0, fields=[of])
    assert (batch.images[:, 0, 16, 16] > 0.4).all()
