"""Networks by name, for images of any shape."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryopick.model.unet import ARCHITECTURES, parameters

torch.manual_seed(0)
COMPACT = ARCHITECTURES["compact"]().eval()
EDGES = st.integers(1, 70)


@settings(deadline=None, max_examples=30)
@given(EDGES, EDGES, st.integers(1, 2))
def test_any_image_gives_three_maps_of_its_shape(h, w, n):
    with torch.inference_mode():
        logits = COMPACT(torch.randn(n, 1, h, w))
    assert logits.shape == (n, 3, h, w)
    assert torch.isfinite(logits).all()


def test_the_classical_network_gives_three_maps_too():
    with torch.inference_mode():
        logits = ARCHITECTURES["unet-31m"]().eval()(torch.randn(1, 1, 33, 50))
    assert logits.shape == (1, 3, 33, 50)


def test_the_classical_network_has_31_million_parameters():
    assert parameters(ARCHITECTURES["unet-31m"]()) == pytest.approx(31.04e6, abs=5e3)


def test_the_compact_network_is_compact():
    assert 0.5e6 < parameters(COMPACT) < 2e6


def test_a_new_network_sees_particles_almost_nowhere():
    with torch.inference_mode():
        probability = COMPACT(torch.randn(1, 1, 64, 64)).sigmoid()
    assert probability.mean() < 0.3


def test_a_map_belongs_to_the_place_it_is_at():
    image = torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    changed = image.clone()
    changed[0, 0, 80, 16] += 50
    with torch.inference_mode():
        difference = (COMPACT(changed) - COMPACT(image)).abs().sum(dim=(0, 1))
    y, x = divmod(int(difference.argmax()), 96)
    assert abs(y - 80) <= 3
    assert abs(x - 16) <= 3
