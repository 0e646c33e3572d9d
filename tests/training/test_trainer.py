"""What the network may make of pixels that nobody has labelled, and of none else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_cryopick.training.patches import Batch
from napari_cryopick.training.targets import AREA, CENTRE, CONTAMINATION, UNLABELLED
from napari_cryopick.training.trainer import (
    NEGATIVE_RATE,
    SELF_LABEL_WEIGHT,
    draw_negatives,
    relabel_unlabelled,
)

PROBABILITIES = torch.linspace(0, 1, 33).expand(1, 3, 1, 33)
NONE = torch.zeros(1, 3, 1, 33, dtype=torch.bool)


def row(value: float) -> Tensor:
    return torch.full((1, 3, 1, 33), float(value))


def batch(value: float, weight: float) -> Batch:
    return Batch(torch.zeros(1, 1, 1, 33), row(value), row(weight))


@pytest.mark.parametrize(("value", "weight"), [(0, 1), (1, 1), (0, 0), (1, 0.5)])
def test_labelled_and_hidden_pixels_stay(value, weight):
    said = batch(value, weight)
    after = relabel_unlabelled(said, PROBABILITIES, negatives=NONE, self_label=True)
    assert torch.equal(after.values, said.values)
    assert torch.equal(after.weights, said.weights)


def test_the_likelier_a_particle_the_less_it_is_background():
    after = relabel_unlabelled(
        batch(0, UNLABELLED), PROBABILITIES, negatives=NONE, self_label=False
    )
    assert (after.values == 0).all()
    assert (after.weights.diff(dim=-1) <= 0).all()
    assert torch.equal(after.weights[..., 0], row(UNLABELLED)[..., 0])
    assert (after.weights[..., -1] == 0).all()


def test_what_is_surely_a_particle_counts_as_one_the_surer_the_more():
    after = relabel_unlabelled(batch(0, UNLABELLED), PROBABILITIES, negatives=NONE, self_label=True)
    for layer in (AREA, CENTRE):
        relabelled = after.values[0, layer, 0] == 1
        assert relabelled[-1]
        assert not relabelled[:17].any()
        assert (after.weights[0, layer, 0][relabelled].diff() > 0).all()
        assert after.weights[0, layer, 0, -1] == pytest.approx(SELF_LABEL_WEIGHT)


def test_contamination_is_never_made_up():
    after = relabel_unlabelled(batch(0, UNLABELLED), PROBABILITIES, negatives=NONE, self_label=True)
    assert (after.values[:, CONTAMINATION] == 0).all()


def test_drawn_negatives_stay_background_however_sure_the_network_is():
    before = batch(0, UNLABELLED)
    after = relabel_unlabelled(before, PROBABILITIES, negatives=~NONE, self_label=True)
    assert torch.equal(after.values, before.values)
    assert torch.equal(after.weights, before.weights)


def test_about_the_stated_share_stays_background_and_a_seed_repeats_it():
    large = Batch(torch.zeros(1, 1, 200, 200), *[torch.zeros(1, 3, 200, 200)] * 2)
    first, again = (draw_negatives(large, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.float().mean().item() == pytest.approx(NEGATIVE_RATE, abs=0.01)


def test_weights_moved_by_resampling_still_count_as_unlabelled():
    nudged = batch(0, UNLABELLED * (1 + 1e-6))
    after = relabel_unlabelled(nudged, PROBABILITIES, negatives=NONE, self_label=False)
    assert (after.weights[..., -1] == 0).all()
