"""A stack of images most of which are empty, such as labels on a few of many micrographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class SparseStack:
    """An (n, h, w) array of zeros, of which only slices that were written to take memory.

    It can be read and written like a numpy array by a slice's index, and by index arrays, as
    napari's layers do.
    """

    ndim = 3

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype | type) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._written: dict[int, NDArray] = {}

    @property
    def size(self) -> int:
        """How many pixels there are."""
        return int(np.prod(self.shape))

    @property
    def written(self) -> dict[int, NDArray]:
        """The slices that were written to, by index."""
        return self._written

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        indices = np.arange(len(self))[first]
        if indices.ndim == 0:
            return self._slice(int(indices))[tuple(rest)]
        if not any(isinstance(places, np.ndarray) for places in rest):
            slices = [self._slice(index)[tuple(rest)] for index in indices.tolist()]
            return np.stack(slices)
        values = np.zeros(np.broadcast_shapes(*map(np.shape, (indices, *rest))), self.dtype)
        for index, here, places in _by_slice(indices, rest):
            values[here] = self._slice(index)[places]
        return values

    def __setitem__(self, key: Any, value: ArrayLike) -> None:
        first, *rest = key if isinstance(key, tuple) else (key,)
        indices = np.arange(len(self))[first]
        if indices.ndim == 0:
            self._own(int(indices))[tuple(rest)] = value
            return
        if not any(isinstance(places, np.ndarray) for places in rest):
            values = np.broadcast_to(value, self[key].shape)
            for index, of_slice in zip(indices.tolist(), values, strict=True):
                self._own(index)[tuple(rest)] = of_slice
            return
        values = np.broadcast_to(value, np.broadcast_shapes(*map(np.shape, (indices, *rest))))
        for index, here, places in _by_slice(indices, rest):
            self._own(index)[places] = values[here]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return self[:].astype(dtype or self.dtype)

    def max(self, axis: None = None, out: None = None) -> Any:  # noqa: ARG002, as numpy calls it
        """Return the highest value."""
        return max((pixels.max() for pixels in self._written.values()), default=self.dtype.type(0))

    def _slice(self, index: int) -> NDArray:
        """Return a slice; an empty one is made anew, for napari writes into what it shows."""
        return self._written[index] if index in self._written else self._empty()

    def _own(self, index: int) -> NDArray:
        return self._written.setdefault(index, self._empty())

    def _empty(self) -> NDArray:
        return np.zeros(self.shape[1:], self.dtype)


def _by_slice(
    indices: NDArray, places: Sequence[NDArray]
) -> Iterator[tuple[int, NDArray[np.bool_], tuple[NDArray, ...]]]:
    """Yield each slice that index arrays refer to, where they do, and the places in it."""
    indices, *places = np.broadcast_arrays(indices, *places)
    for index in np.unique(indices).tolist():
        here = indices == index
        yield index, here, tuple(place[here] for place in places)
