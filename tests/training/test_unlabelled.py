"""What the network may make of pixels that nobody has labelled, and of none else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_cryopick.training.sampling import Batch
from napari_cryopick.training.targets import AREA, CENTRE, CONTAMINATION, UNLABELLED
from napari_cryopick.training.unlabelled import SCEPTICISM, draw_sceptics, reconsider

PROBABILITIES = torch.linspace(0, 1, 33).expand(1, 3, 1, 33)
NONE = torch.zeros(1, 3, 1, 33, dtype=torch.bool)


def row(value: float) -> Tensor:
    return torch.full((1, 3, 1, 33), float(value))


def batch(value: float, weight: float) -> Batch:
    return Batch(torch.zeros(1, 1, 1, 33), row(value), row(weight))


@pytest.mark.parametrize(("value", "weight"), [(0, 1), (1, 1), (0, 0), (1, 0.5)])
def test_what_a_person_said_or_hid_stays(value, weight):
    said = batch(value, weight)
    after = reconsider(said, PROBABILITIES, doubt=8, adoption=0.5, sceptics=NONE)
    assert torch.equal(after.values, said.values)
    assert torch.equal(after.weights, said.weights)


def test_the_likelier_a_particle_the_less_it_is_background():
    after = reconsider(batch(0, UNLABELLED), PROBABILITIES, doubt=8, adoption=0, sceptics=NONE)
    assert (after.values == 0).all()
    assert (after.weights.diff(dim=-1) <= 0).all()
    assert torch.equal(after.weights[..., 0], row(UNLABELLED)[..., 0])
    assert (after.weights[..., -1] == 0).all()


def test_without_doubt_and_adoption_nothing_changes():
    before = batch(0, UNLABELLED)
    after = reconsider(before, PROBABILITIES, doubt=0, adoption=0, sceptics=NONE)
    assert torch.equal(after.values, before.values)
    assert torch.equal(after.weights, before.weights)


def test_what_is_surely_a_particle_counts_as_one_the_surer_the_more():
    after = reconsider(batch(0, UNLABELLED), PROBABILITIES, doubt=8, adoption=0.5, sceptics=NONE)
    for layer in (AREA, CENTRE):
        adopted = after.values[0, layer, 0] == 1
        assert adopted[-1]
        assert not adopted[:17].any()
        assert (after.weights[0, layer, 0][adopted].diff() > 0).all()
        assert after.weights[0, layer, 0, -1] == pytest.approx(0.5)


def test_contamination_is_never_made_up():
    after = reconsider(batch(0, UNLABELLED), PROBABILITIES, doubt=8, adoption=0.5, sceptics=NONE)
    assert (after.values[:, CONTAMINATION] == 0).all()


def test_sceptical_pixels_stay_background_however_sure_the_network_is():
    before = batch(0, UNLABELLED)
    after = reconsider(before, PROBABILITIES, doubt=8, adoption=0.5, sceptics=~NONE)
    assert torch.equal(after.values, before.values)
    assert torch.equal(after.weights, before.weights)


def test_about_the_stated_share_is_sceptical_and_a_seed_repeats_it():
    large = Batch(torch.zeros(1, 1, 200, 200), *[torch.zeros(1, 3, 200, 200)] * 2)
    first, again = (draw_sceptics(large, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.float().mean().item() == pytest.approx(SCEPTICISM, abs=0.01)


def test_weights_moved_by_resampling_still_count_as_unlabelled():
    nudged = batch(0, UNLABELLED * (1 + 1e-6))
    after = reconsider(nudged, PROBABILITIES, doubt=8, adoption=0, sceptics=NONE)
    assert (after.weights[..., -1] == 0).all()
