from __future__ import annotations

import numpy as np
import pytest
from napari.utils.colormaps.standardize_color import transform_color

from napari_cryopick import CryopickError, Source
from napari_cryopick.gui.layers.create import SOURCE_COLOURS
from napari_cryopick.gui.layers.differences import (
    CHANGE_COLOURS,
    SYMBOLS,
    read_outcome,
    show_differences,
)
from napari_cryopick.gui.layers.layers import (
    DIFFERENCES,
    find_layer,
    stack_of,
)
from napari_cryopick.picks import Picks
from napari_cryopick.runs.read import iterations

DIAMETER_PX = 20.0


@pytest.fixture
def judged(image, tmp_path, begin_run):
    """Two iterations, the second with one pick more and one less."""
    first, second, _ = stack_of(image).paths
    run = begin_run(tmp_path / "run_1")
    run.judge(0, {first: Picks.at([(30, 40), (80, 100)], 0.9), second: Picks.at([(50, 50)], 0.8)})
    run.judge(1, {first: Picks.at([(31, 40), (120, 90)], 0.9), second: Picks.at([(50, 50)], 0.8)})
    return iterations(run.path)


def test_an_outcome_is_a_model_s_and_compared_with_the_one_before(judged, image):
    outcome = read_outcome(judged[1], judged[0], stack_of(image), DIAMETER_PX)
    assert [len(picks) for picks in outcome.picks.values()] == [2, 1, 0]
    assert set(outcome.picks[0].sources) == {Source.MODEL}
    assert outcome.gained.tolist() == [[0, 120, 90]]
    assert outcome.lost.tolist() == [[0, 80, 100]]


def test_the_first_iteration_has_no_difference(judged, image, viewer):
    outcome = read_outcome(judged[0], None, stack_of(image), DIAMETER_PX)
    assert len(outcome.gained) == len(outcome.lost) == 0
    show_differences(viewer, image, outcome)
    assert find_layer(viewer.layers, image, DIFFERENCES) is None


def test_an_iteration_that_finds_nothing_loses_everything(judged, image, tmp_path, begin_run):
    begin_run(tmp_path / "run_2").judge(1, {})
    (nothing,) = iterations(tmp_path / "run_2")
    outcome = read_outcome(nothing, judged[0], stack_of(image), DIAMETER_PX)
    assert len(outcome.gained) == 0
    assert len(outcome.lost) == 3


def test_gained_and_lost_differ_in_colour_and_sign(judged, image, viewer):
    viewer.layers.selection.active = image
    stack = stack_of(image)
    for now, before in ((1, 0), (1, 0)):
        outcome = read_outcome(judged[now], judged[before], stack, DIAMETER_PX)
        show_differences(viewer, image, outcome)
    layer = find_layer(viewer.layers, image, DIFFERENCES)
    assert len(viewer.layers) == 2
    assert viewer.layers.selection.active is image
    assert layer.name == f"{image.name} gained / lost"
    assert layer.data.tolist() == [[0, 120, 90], [0, 80, 100]]
    assert layer.features["change"].tolist() == ["gained", "lost"]
    assert [str(symbol) for symbol in layer.symbol] == list(SYMBOLS.values())
    np.testing.assert_allclose(layer.border_color, transform_color(list(CHANGE_COLOURS.values())))
    assert not set(CHANGE_COLOURS.values()) & set(SOURCE_COLOURS.values())
    np.testing.assert_array_equal(layer.scale, image.scale)
    assert not layer.editable
    show_differences(viewer, image, read_outcome(judged[0], None, stack, 20))
    assert len(layer.data) == 0


def test_picks_of_other_micrographs_are_told(judged, image, tmp_path, begin_run):
    begin_run(tmp_path / "run_2").judge(0, {tmp_path / "z.mrc": Picks.at([(5, 5)], 0.9)})
    (other,) = iterations(tmp_path / "run_2")
    with pytest.raises(CryopickError, match="other micrographs"):
        read_outcome(other, None, stack_of(image), DIAMETER_PX)
