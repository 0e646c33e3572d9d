"""A stack of which only what was written takes memory reads and writes like numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_cryopick.gui.layers.sparse import SparseStack

SHAPE = (4, 12, 15)
INDEX = np.array([0, 2, 2, 3])
PLACES = (np.array([1, 2, 3, 4]), np.array([5, 6, 7, 8]))
KEYS = [
    1,
    -1,
    (2, 3, 4),
    (2, slice(3, 6)),
    slice(1, 3),
    (slice(1, 3), slice(2, 5), 7),
    (INDEX, *PLACES),
    (2, *PLACES),
    [0, 3],
    slice(None),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("many", [False, True])
def test_it_reads_and_writes_as_an_array_does(key, many):
    array, sparse = np.zeros(SHAPE, np.uint8), SparseStack(SHAPE, np.uint8)
    array[2], sparse[2] = 9, 9
    value = np.arange(array[key].size).reshape(array[key].shape) if many else 7
    array[key], sparse[key] = value, value
    np.testing.assert_array_equal(sparse[key], array[key])
    np.testing.assert_array_equal(sparse, array)
    assert sparse[key].dtype == array.dtype


def test_only_what_is_written_takes_memory():
    sparse = SparseStack((1_000_000, 4096, 4096), np.uint8)
    sparse[7, 5, 5] = 1
    sparse[8][5, 5] = 1  # a view of an empty slice is nobody else's
    assert list(sparse.written) == [7]
    assert not sparse[8].any()


def test_it_can_be_painted_on_and_undone():
    layer = Labels(SparseStack((10_000, 96, 96), np.uint8))
    layer.paint((0, 50, 50), 2)
    assert (layer.data[0] == 2).any()
    layer.undo()
    assert not layer.data[0].any()
    layer.fill((0, 50, 50), 3)
    assert (layer.data[0] == 3).all()
    assert list(layer.data.written) == [0]
    assert np.max(layer.data) == 3
