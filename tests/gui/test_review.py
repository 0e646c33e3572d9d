from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.detection.uncertain_picks import Reason, UncertainPick
from napari_cryopick.gui.docks.review import Review
from napari_cryopick.gui.layers.create import ensure_picks
from napari_cryopick.gui.layers.curation import curated_picks, redo, replace_model_picks, undo
from napari_cryopick.gui.layers.layers import (
    UNCERTAIN,
    camera,
    find_layer,
    remember_diameter,
)

DIAMETER_ANGSTROM = 40.0
UNSURE = [
    UncertainPick(2, (60.0, 70.0), Reason.UNSURE, 0.31),
    UncertainPick(1, (50.0, 50.0), Reason.UNSURE, 0.35),
]
AGAIN = UncertainPick(0, (100.0, 30.0), Reason.REJECTED_BUT_FOUND, 0.9)


@pytest.fixture
def picks(viewer, image):
    """A click, a deleted pick, and two of a model."""
    remember_diameter(image, DIAMETER_ANGSTROM)
    layer = ensure_picks(viewer, image)
    replace_model_picks(layer, {0: Picks.at([AGAIN.position], 0.9, Source.MODEL)}, "old")
    layer.remove([0])
    layer.add([0, 30, 30])
    for unsure in UNSURE:
        found = Picks.at([unsure.position], unsure.score, Source.MODEL)
        replace_model_picks(layer, {unsure.index: found}, "run")
    return layer


@pytest.fixture
def review(viewer, image, picks, qtbot):
    review = Review(viewer)
    qtbot.addWidget(review)
    review.begin(image, [AGAIN, *UNSURE])
    return review


def place_of(viewer, image) -> list:
    return find_layer(viewer.layers, image, UNCERTAIN).data.tolist()


def test_the_viewer_is_led_from_place_to_place(review, viewer, image, picks):
    viewer.dims.set_point(0, 1)
    assert review.sentence.text() == "3 uncertain picks to look at."
    assert not review.yes.isEnabled()
    review.next.click()
    assert viewer.dims.point[0] == 0
    assert picks.selected_data == set()
    assert "You rejected this pick" in review.sentence.text()
    review.next.click()
    assert viewer.dims.point[0] == 2
    assert tuple(camera(viewer).center)[-2:] == (120, 140)
    assert viewer.layers.selection.active is picks
    assert picks.mode == "select"
    assert picks.data[list(picks.selected_data)].tolist() == [[2, 60, 70]]
    assert place_of(viewer, image) == [[2, 60, 70]]
    review.next.click()
    review.next.click()
    assert review.sentence.text().startswith("You have looked at all of them")
    assert place_of(viewer, image) == []
    assert not review.next.isEnabled()


def test_a_person_s_word_is_taken_and_can_be_taken_back(review, picks):
    review.next.click()
    review.yes.click()
    review.yes.click()
    review.no.click()
    here, deleted = curated_picks(picks)[0]
    assert sorted(map(tuple, here.positions)) == [(30, 30), (100, 30)]
    assert len(deleted) == 0
    assert curated_picks(picks)[2][0].sources.tolist() == [Source.PERSON]
    assert len(curated_picks(picks)[1][1]) == 1
    for _ in range(3):
        undo(picks)
    assert curated_picks(picks)[2][0].sources.tolist() == [Source.MODEL]
    assert len(curated_picks(picks)[0][1]) == 1


def test_a_person_may_take_back_a_click_and_teach_that_it_is_none(review, picks, image):
    clicked = UncertainPick(0, (30.0, 30.0), Reason.PLACED_BUT_NOT_FOUND, np.nan)
    review.begin(image, [clicked])
    review.next.click()
    review.no.click()
    for back_and_forth in (None, undo, redo):
        if back_and_forth:
            back_and_forth(picks)
        here, deleted = curated_picks(picks)[0]
        taken_back = back_and_forth is undo
        assert ((30, 30) in map(tuple, here.positions)) == taken_back
        assert ((30, 30) in map(tuple, deleted.positions)) != taken_back
        assert len(picks.data) == len(picks.features) == 2 + taken_back


def test_saying_no_where_there_is_no_pick_changes_nothing(review, picks):
    before = picks.data.copy()
    review.next.click()
    review.no.click()
    np.testing.assert_array_equal(picks.data, before)


def test_what_was_corrected_meanwhile_is_passed_over(review, picks, viewer):
    row = picks.data.tolist().index([2, 60, 70])
    picks.remove([row])
    picks.add([0, 101, 30])
    review.next.click()
    assert viewer.dims.point[0] == 1


def test_without_the_micrographs_there_is_nothing_to_do(review, viewer):
    review.next.click()
    viewer.layers.clear()
    review.yes.click()
    review.next.click()
    assert review.sentence.text().startswith("You have looked at all of them")


def test_where_nothing_is_uncertain_nothing_is_offered(review, image):
    review.begin(image, [])
    assert not review.isVisible()
