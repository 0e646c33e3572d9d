from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image, Points
from napari.layers import Labels as LabelsLayer

from napari_cryopick import CryopickError, Picks, Source, Status
from napari_cryopick.gui.layers.create import labels_layer, over, picks_layer
from napari_cryopick.gui.layers.curation import picks_of, rows_of
from napari_cryopick.gui.layers.layers import MICROGRAPHS, PICKS, metadata, remember_diameter
from napari_cryopick.gui.layers.stack import Stack
from napari_cryopick.gui.layers.training_data import labels_of, points_over

STACK = Stack((Path("a.mrc"), Path("b.mrc")), ((100, 120), (60, 80)))
IMAGE = Image(
    np.zeros((2, 100, 120), np.float32),
    scale=(1, 1.77, 1.77),
    units=("pixel", "angstrom", "angstrom"),
    metadata=metadata(STACK, MICROGRAPHS),
)

rows = st.tuples(
    st.floats(-10, 5000),
    st.floats(-10, 5000),
    st.floats(0, 1) | st.just(np.nan),
    st.sampled_from(list(Source)),
    st.sampled_from([Status.OK, Status.BORDER]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(rows, max_size=5), min_size=2, max_size=2))
def test_picks_go_through_a_layer_unchanged(tables):
    made = [
        Picks.at([r[:2] for r in t], [r[2] for r in t], [r[3] for r in t], [r[4] for r in t])
        for t in tables
    ]
    layer = picks_layer(over(IMAGE, PICKS), 20)
    layer.data, layer.features = rows_of(dict(enumerate(made)))
    for index, picks in enumerate(made):
        back = picks_of(points_over(layer, IMAGE), layer.features)[index]
        np.testing.assert_array_equal(back.positions, picks.positions)
        np.testing.assert_array_equal(back.scores, picks.scores)
        np.testing.assert_array_equal(back.sources, picks.sources)
        np.testing.assert_array_equal(back.statuses, picks.statuses)


def test_further_columns_stay():
    picks = Picks.at([(1, 2)], extra={"rlnClassNumber": np.array([7])})
    back = picks_of(*rows_of({1: picks}))[1]
    assert back.extra["rlnClassNumber"].tolist() == [7]


def test_clicks_in_a_plain_layer_are_a_person_s_wherever_the_layer_lies():
    clicked = Points([[1, 10.0, 20.0]], scale=(1, 2, 2), translate=(0, 4, 0))
    points = points_over(clicked, IMAGE)
    np.testing.assert_allclose(points, [[1, 24 / 1.77, 40 / 1.77]])
    picks = picks_of(points, clicked.features)[1]
    assert picks.sources.tolist() == ["person"]
    assert np.isnan(picks.scores).all()


def test_flat_points_over_several_micrographs_are_refused():
    with pytest.raises(CryopickError, match="which micrograph"):
        points_over(Points([[1, 2]], name="flat"), IMAGE)


def test_paint_is_given_back_by_micrograph_without_the_padding():
    remember_diameter(IMAGE, 48 * 1.77)
    layer = labels_layer(IMAGE)
    layer.data[1, 3, 4] = 3
    labels = labels_of(layer, IMAGE, STACK)
    assert list(labels) == [1]
    assert labels[1].classes.shape == (30, 40)
    assert labels[1].classes[3, 4] == 3
    assert labels[1].scale == pytest.approx(0.5)


def test_a_class_without_meaning_is_refused():
    layer = LabelsLayer(np.full((2, 100, 120), 9, np.uint8), scale=IMAGE.scale, name="cells")
    with pytest.raises(CryopickError, match="label 9"):
        labels_of(layer, IMAGE, STACK)
