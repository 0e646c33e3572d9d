from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from app_model.types import KeyBinding
from napari.layers import Image
from napari.layers.base import ActionType

from napari_cryopick import Picks, Source, Status
from napari_cryopick.gui.layers.create import over, picks_layer
from napari_cryopick.gui.layers.curation import (
    SOURCE_COLOURS,
    curate,
    curated_picks,
    redo,
    reject_picks,
    replace_model_picks,
    show_above,
    undo,
)
from napari_cryopick.gui.layers.layers import MICROGRAPHS, PICKS, metadata
from napari_cryopick.gui.layers.stack import Stack

STACK = Stack((Path("a.mrc"), Path("b.mrc")), ((100, 120),) * 2)
RADIUS_PX = 10.0


def found(*rows: tuple[float, float, float], status: str = Status.OK) -> Picks:
    """What a model says: (y, x, score)."""
    return Picks.at([row[:2] for row in rows], [row[2] for row in rows], Source.MODEL, status)


@pytest.fixture
def layer():
    image = Image(np.zeros((2, 100, 120)), metadata=metadata(STACK, MICROGRAPHS))
    return curate(picks_layer(over(image, PICKS), diameter_px=2 * RADIUS_PX))


def predict(layer, index: int, picks: Picks, run: str = "run") -> None:
    replace_model_picks(layer, {index: picks}, run)


def move(layer, row: int, to: tuple[float, float, float]) -> None:
    """As napari does at the end of a drag."""
    layer.data[row] = to
    layer.events.data(
        value=layer.data, action=ActionType.CHANGED, data_indices=(row,), vertex_indices=((),)
    )


def test_a_click_is_a_person_s_even_when_a_model_s_pick_was_selected_before(layer):
    predict(layer, 0, found((10, 10, 0.9)))
    layer.selected_data = {0}
    layer.add([0, 50, 50])
    assert layer.features["source"].tolist() == ["model", "person"]
    assert np.isnan(layer.features["score"].iloc[1])
    colours = [tuple(np.round(colour * 255).astype(int)[:3]) for colour in layer.border_color]
    expected = [SOURCE_COLOURS[Source.MODEL], SOURCE_COLOURS[Source.PERSON]]
    assert ["#%02x%02x%02x" % colour for colour in colours] == expected  # noqa: UP031


def test_predicting_again_replaces_a_model_s_picks_of_that_micrograph_only(layer):
    predict(layer, 0, found((10, 10, 0.9), (40, 40, 0.8)))
    predict(layer, 1, found((70, 70, 0.7)))
    layer.add([0, 90, 90])
    predict(layer, 0, found((20, 60, 0.6)), run="again")
    first, second = curated_picks(layer)[0][0], curated_picks(layer)[1][0]
    assert sorted(map(tuple, first.positions)) == [(20, 60), (90, 90)]
    assert second.positions.tolist() == [[70, 70]]


def test_what_a_person_has_placed_or_deleted_is_not_found_again(layer):
    predict(layer, 0, found((10, 10, 0.9), (40, 40, 0.8)))
    layer.add([0, 90, 90])
    layer.remove([0])
    predict(layer, 0, found((11, 9, 0.9), (42, 40, 0.8), (88, 91, 0.7)), run="again")
    picks, deleted = curated_picks(layer)[0]
    assert sorted(map(tuple, picks.positions)) == [(42, 40), (90, 90)]
    assert deleted.positions.tolist() == [[10, 10]]
    assert set(deleted.statuses) == {"deleted"}
    assert len(curated_picks(layer)[1][1]) == 0


def test_a_click_that_is_taken_away_was_never_there(layer):
    layer.add([0, 10, 10])
    layer.remove([0])
    picks, deleted = curated_picks(layer)[0]
    assert len(picks) == len(deleted) == 0


def test_a_click_where_a_pick_was_deleted_is_the_last_word(layer):
    predict(layer, 0, found((10, 10, 0.9)))
    layer.remove([0])
    layer.add([0, 12, 10])
    picks, deleted = curated_picks(layer)[0]
    assert len(picks) == 1
    assert len(deleted) == 0


def test_a_moved_pick_becomes_the_person_s(layer):
    predict(layer, 0, found((10, 10, 0.9)))
    move(layer, 0, (0, 14, 14))
    predict(layer, 0, found((40, 40, 0.9)), run="again")
    picks, _ = curated_picks(layer)[0]
    assert sorted(zip(map(tuple, picks.positions), picks.sources, strict=True)) == [
        ((14, 14), "person"),
        ((40, 40), "model"),
    ]


def test_every_edit_can_be_undone_and_redone(layer):
    predict(layer, 0, found((10, 10, 0.9)), run="first")
    predict(layer, 1, found((20, 20, 0.9)), run="second")
    layer.add([0, 50, 50])
    move(layer, 0, (0, 14, 14))
    layer.remove([1, 2])
    states = [layer.data.copy()]
    for _ in range(5):
        undo(layer)
        states.append(layer.data.copy())
    assert [len(state) for state in states] == [1, 3, 3, 2, 1, 0]
    np.testing.assert_array_equal(states[2][0], (0, 10, 10))
    assert len(curated_picks(layer)[1][1]) == 0
    for state in reversed(states[:-1]):
        redo(layer)
        np.testing.assert_array_equal(layer.data, state)
    assert len(curated_picks(layer)[1][1]) == 1


def test_only_the_last_hundred_edits_can_be_undone(layer):
    for y in range(103):
        layer.add([0, y, 50])
    for _ in range(103):
        undo(layer)
    assert len(layer.data) == 3


def test_a_new_edit_forgets_what_was_undone(layer):
    layer.add([0, 50, 50])
    undo(layer)
    layer.add([0, 20, 20])
    redo(layer)
    assert layer.data.tolist() == [[0, 20, 20]]


def test_all_micrographs_of_a_prediction_are_undone_together(layer):
    layer.add([0, 90, 90])
    predict(layer, 0, found((10, 10, 0.9)))
    predict(layer, 1, found((20, 20, 0.9)))
    undo(layer)
    assert layer.data.tolist() == [[0, 90, 90]]


def test_keys_undo_and_redo(layer):
    layer.add([0, 50, 50])
    layer.keymap[KeyBinding.from_str("Ctrl+Z")](layer)
    assert len(layer.data) == 0
    layer.keymap[KeyBinding.from_str("Ctrl+Shift+Z")](layer)
    assert len(layer.data) == 1


def test_the_threshold_hides_unlikely_picks_but_nothing_of_a_person(layer):
    predict(layer, 0, found((10, 10, 0.9), (40, 40, 0.4)))
    predict(layer, 1, found((10, 10, 0.9), status=Status.CONTAMINATION))
    layer.add([0, 90, 90])
    show_above(layer, 0.5)
    assert layer.shown.tolist() == [True, False, False, True]
    show_above(layer, 0.2)
    assert layer.shown.tolist() == [True, True, False, True]
    layer.remove([0])
    undo(layer)
    assert layer.shown.tolist() == [True, True, False, True]


def test_another_outcome_replaces_a_model_s_picks_everywhere_in_one_step(layer):
    predict(layer, 0, found((10, 10, 0.9), (40, 40, 0.8)))
    predict(layer, 1, found((70, 70, 0.7)))
    layer.add([0, 90, 90])
    layer.remove([0])
    before = layer.data.copy()
    outcome = {0: found((11, 9, 0.9), (91, 90, 0.8), (20, 60, 0.6)), 1: found((11, 9, 0.5))}
    replace_model_picks(layer, outcome, "iteration")
    assert sorted(map(tuple, layer.data)) == [(0, 20, 60), (0, 90, 90), (1, 11, 9)]
    assert len(curated_picks(layer)[0][1]) == 1
    replace_model_picks(layer, {0: found(), 1: found()}, "iteration")
    assert layer.data.tolist() == [[0, 90, 90]]
    undo(layer)
    np.testing.assert_array_equal(layer.data, before)


def test_a_pick_that_is_rejected_does_not_come_back_whoever_placed_it(layer):
    predict(layer, 0, found((10, 10, 0.9)))
    layer.add([0, 50, 50])
    reject_picks(layer, [1])
    reject_picks(layer, [0])
    assert len(layer.data) == 0
    predict(layer, 0, found((11, 10, 0.9), (51, 50, 0.9), (80, 80, 0.9)))
    picks, deleted = curated_picks(layer)[0]
    assert picks.positions.tolist() == [[80, 80]]
    assert deleted.positions.tolist() == [[50, 50], [10, 10]]
    assert set(deleted.statuses) == {Status.DELETED}
