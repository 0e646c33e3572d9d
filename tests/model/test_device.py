"""The device is chosen by name and described in words."""

from __future__ import annotations

import pytest
import torch

from napari_cryopick import CryopickError
from napari_cryopick.model.device import choose_device, describe


def test_the_processor_is_always_there():
    assert choose_device("cpu") == torch.device("cpu")
    assert describe(choose_device("cpu")).startswith("CPU (")


def test_auto_takes_a_gpu_where_there_is_one():
    has_gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    assert (choose_device().type != "cpu") == has_gpu
    assert describe(choose_device()).startswith("GPU" if has_gpu else "CPU")


@pytest.mark.parametrize("name", ["abacus", "", "CPU ", "cuda:99"])
def test_a_device_that_is_not_there_is_reported_by_name(name):
    with pytest.raises(CryopickError, match=f'no device "{name}" here'):
        choose_device(name)
