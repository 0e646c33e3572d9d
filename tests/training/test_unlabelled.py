"""What the network may make of pixels that nobody has labelled, and of none else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_cryopick.training.sampling import Batch
from napari_cryopick.training.targets import AREA, CENTRE, CONTAMINATION, UNLABELLED
from napari_cryopick.training.unlabelled import reconsider

PROBABILITIES = torch.linspace(0, 1, 33).expand(1, 3, 1, 33)


def row(value: float) -> Tensor:
    return torch.full((1, 3, 1, 33), float(value))


def batch(value: float, weight: float) -> Batch:
    return Batch(torch.zeros(1, 1, 1, 33), row(value), row(weight))


@pytest.mark.parametrize(("value", "weight"), [(0, 1), (1, 1), (0, 0), (1, 0.5)])
def test_what_a_person_said_or_hid_stays(value, weight):
    said = batch(value, weight)
    after = reconsider(said, PROBABILITIES, doubt=8, adoption=0.5)
    assert torch.equal(after.values, said.values)
    assert torch.equal(after.weights, said.weights)


def test_the_likelier_a_particle_the_less_it_is_background():
    after = reconsider(batch(0, UNLABELLED), PROBABILITIES, doubt=8, adoption=0)
    assert (after.values == 0).all()
    assert (after.weights.diff(dim=-1) <= 0).all()
    assert torch.equal(after.weights[..., 0], row(UNLABELLED)[..., 0])
    assert (after.weights[..., -1] == 0).all()


def test_without_doubt_and_adoption_nothing_changes():
    before = batch(0, UNLABELLED)
    after = reconsider(before, PROBABILITIES, doubt=0, adoption=0)
    assert torch.equal(after.values, before.values)
    assert torch.equal(after.weights, before.weights)


def test_what_is_surely_a_particle_counts_as_one_the_surer_the_more():
    after = reconsider(batch(0, UNLABELLED), PROBABILITIES, doubt=8, adoption=0.5)
    for layer in (AREA, CENTRE):
        adopted = after.values[0, layer, 0] == 1
        assert adopted[-1]
        assert not adopted[:17].any()
        assert (after.weights[0, layer, 0][adopted].diff() > 0).all()
        assert after.weights[0, layer, 0, -1] == pytest.approx(0.5)


def test_contamination_is_never_made_up():
    after = reconsider(batch(0, UNLABELLED), PROBABILITIES, doubt=8, adoption=0.5)
    assert (after.values[:, CONTAMINATION] == 0).all()
