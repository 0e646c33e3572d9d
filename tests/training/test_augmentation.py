"""Augmentation changes what a patch looks like, not what it is."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from napari_cryopick.training.augmentation import AUGMENTATIONS, augment
from napari_cryopick.training.patches import Batch
from napari_cryopick.training.targets import AREA, CENTRE, CONTAMINATION

EVERY = pytest.mark.parametrize("name", AUGMENTATIONS)


@pytest.fixture
def batch() -> Batch:
    generator = Generator().manual_seed(1)
    images = torch.randn(16, 1, 48, 48, generator=generator).clamp(-4, 4)
    values = torch.rand(16, 3, 48, 48, generator=generator)
    return Batch(images, values, torch.rand(16, 3, 48, 48, generator=generator))


def apply(batch: Batch, name: str, strength: float, seed: int = 0) -> Batch:
    return AUGMENTATIONS[name](batch, strength, Generator().manual_seed(seed))


@EVERY
def test_strength_0_changes_nothing(name, batch):
    same = apply(batch, name, 0.0)
    assert torch.equal(same.images, batch.images)
    assert torch.equal(same.values, batch.values)
    assert torch.equal(same.weights, batch.weights)


@EVERY
def test_strength_1_changes_patches_each_in_its_own_way(name, batch):
    alike = Batch(batch.images[:1].expand(16, -1, -1, -1), batch.values, batch.weights)
    changed = apply(alike, name, 1.0).images
    assert len({patch.sum().item() for patch in changed}) > 2
    assert torch.isfinite(changed).all()


@EVERY
def test_a_seed_repeats_it(name, batch):
    first, again, other = (apply(batch, name, 1.0, seed).images for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@EVERY
def test_the_batch_given_is_left_alone(name, batch):
    before = [t.clone() for t in (batch.images, batch.values, batch.weights)]
    apply(batch, name, 2.0)
    for old, now in zip(before, (batch.images, batch.values, batch.weights), strict=True):
        assert torch.equal(old, now)


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "fake-ice"])
def test_a_particle_stays_a_particle(name, batch):
    changed = apply(batch, name, 1.0)
    assert torch.equal(changed.values, batch.values)
    assert torch.equal(changed.weights, batch.weights)


def test_fake_ice_is_dark_and_labelled_as_contamination(batch):
    icy = apply(batch, "fake-ice", 1.0)
    ice = icy.values[:, CONTAMINATION] == 1
    assert 0 < ice.flatten(1).any(dim=1).float().mean() < 1
    darkening = (batch.images - icy.images)[:, 0]
    assert (darkening[ice].mean() > 1.5).all()
    for layer in (AREA, CENTRE):
        assert (icy.values[:, layer][ice] == 0).all()
    assert (icy.weights.permute(0, 2, 3, 1)[ice] == 1).all()


def test_what_ice_half_hides_is_left_out(batch):
    icy = apply(batch, "fake-ice", 1.0)
    changed = (icy.images != batch.images)[:, 0]
    rim = changed & (icy.values[:, CONTAMINATION] != 1)
    assert rim.any()
    assert (icy.weights.permute(0, 2, 3, 1)[rim] == 0).all()
    untouched = ~changed
    for layer in range(3):
        assert torch.equal(icy.values[:, layer][untouched], batch.values[:, layer][untouched])
        assert torch.equal(icy.weights[:, layer][untouched], batch.weights[:, layer][untouched])


def test_all_of_them_are_applied(batch):
    changed = augment(batch, 1.0, Generator().manual_seed(5))
    step_by_step, generator = batch, Generator().manual_seed(5)
    for change in AUGMENTATIONS.values():
        step_by_step = change(step_by_step, 1.0, generator)
    assert torch.equal(changed.images, step_by_step.images)
    assert not torch.equal(changed.images, batch.images)
