"""The picks of one micrograph and of many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick import Picks
from napari_cryopick.picks import PickSet, common_value, flip_y


def test_with_status_keeps_every_micrograph() -> None:
    picks = PickSet({"a": Picks.at([[1, 2], [3, 4]], status=["ok", "deleted"]), "b": Picks.at([])})
    kept = picks.with_status(["deleted"])
    assert len(picks) == 2
    assert list(kept.by_micrograph) == ["a", "b"]
    np.testing.assert_array_equal(kept.by_micrograph["a"].positions, [[3, 4]])


def test_the_first_row_becomes_the_last() -> None:
    flipped = flip_y(PickSet({"a": Picks.at([[0, 7], [4095, 8], [10.5, 9]])}), 4096)
    np.testing.assert_array_equal(
        flipped.by_micrograph["a"].positions, [[4095, 7], [0, 8], [4084.5, 9]]
    )


@given(st.integers(1, 10_000), st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999))))
def test_flipping_twice_changes_nothing(height_px: int, positions: list) -> None:
    picks = PickSet({"a": Picks.at(positions)}, 1.5)
    again = flip_y(flip_y(picks, height_px), height_px)
    np.testing.assert_array_equal(
        again.by_micrograph["a"].positions, picks.by_micrograph["a"].positions
    )
    assert again.pixel_size_angstrom == 1.5


@pytest.mark.parametrize(
    ("values", "common"), [([1.5, 1.5], 1.5), ([], None), ([1.5, 2.0], None), ([1.5, None], None)]
)
def test_a_value_is_common_where_all_agree(values: list, common: float | None) -> None:
    assert common_value(values) == common
