from __future__ import annotations

import mrcfile
import napari
import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager

from napari_cryopick import CryopickError, Picks, Source, Status
from napari_cryopick.gui.contributions.coordinates import points_layers, write_layer
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.layers.create import ensure_picks
from napari_cryopick.gui.layers.curation import curate, curated_picks, show_above
from napari_cryopick.gui.layers.layers import pixel_size_angstrom, stack_of
from napari_cryopick.gui.layers.training_data import training_data
from napari_cryopick.io import PickSet, read_picks, write_picks


@pytest.fixture
def opening(viewer, monkeypatch):
    """Opens files in this viewer; gives what the user was told last."""
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    with notification_manager:
        yield lambda: notification_manager.records[-1].message


PICKS = PickSet(
    {
        "job/c.mrc": Picks.at([(12, 34)], 0.9, Source.FILE),
        "job/a.mrc": Picks.at([(5, 6), (7, 8)], source=Source.FILE),
    },
    pixel_size_angstrom=2.0,
    diameter_angstrom=44.0,
)


def test_picks_lie_over_the_micrographs_that_they_name(viewer, image):
    (layer,) = points_layers(PICKS, viewer.layers)
    assert sorted(layer.data.tolist()) == [[0, 5, 6], [0, 7, 8], [2, 12, 34]]
    assert stack_of(layer) == stack_of(image)
    assert layer.size[0] * layer.scale[-1] == pytest.approx(44)


def test_picks_of_micrographs_that_are_not_open_stand_alone(viewer):
    (layer,) = points_layers(PICKS, viewer.layers)
    assert sorted(layer.data.tolist()) == [[0, 5, 6], [0, 7, 8], [1, 12, 34]]
    assert pixel_size_angstrom(layer) == 2


def test_picks_opened_before_their_micrographs_lie_over_none_of_them(viewer, folder):
    (layer,) = points_layers(PICKS, viewer.layers)
    viewer.add_layer(layer)
    pixels, attributes, _ = read_stacks(str(folder))[0]
    image = viewer.add_image(pixels, **attributes)
    assert layer.extent.world[1, 0] < image.extent.world[0, 0]
    with pytest.raises(CryopickError, match="belongs to other micrographs"):
        training_data(image, layer, None, complete=False)


def test_picks_of_other_micrographs_are_never_laid_over_those_open(
    viewer, image, tmp_path, opening
):
    write_picks(tmp_path / "x.star", PickSet({"elsewhere.mrc": Picks.at([(5, 6)])}))
    assert viewer.open(str(tmp_path / "x.star"), plugin="napari-cryopick") == []
    assert "elsewhere.mrc" in opening()


def test_picks_of_some_other_micrographs_are_told_by_name_and_number(viewer, image, opening):
    some = PickSet({"a.mrc": Picks.at([(5, 6)]), "elsewhere.mrc": Picks.at([(1, 2), (3, 4)])})
    (layer,) = points_layers(some, viewer.layers)
    assert layer.data.tolist() == [[0, 5, 6]]
    assert "2 of 3 picks are left out" in opening()
    assert "elsewhere.mrc" in opening()


def test_picks_of_several_pixel_sizes_lie_over_their_own_micrographs(viewer, folder):
    with mrcfile.open(folder / "c.mrc", "r+") as mrc:
        mrc.voxel_size = 1.3
    for pixels, attributes, _ in read_stacks(str(folder)):
        viewer.add_image(pixels, **attributes)
    layers = points_layers(PICKS, viewer.layers)
    assert [len(layer.data) for layer in layers] == [2, 1]
    assert [pixel_size_angstrom(layer) for layer in layers] == [2, 1.3]


def test_a_file_that_cannot_be_read_is_told_in_a_sentence(viewer, tmp_path, opening):
    for name in ("x.star", "x.mrc"):
        (tmp_path / name).write_text("nonsense")
        assert viewer.open(str(tmp_path / name), plugin="napari-cryopick") == []
        assert name in opening()


@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_picks_go_through_napari_and_back_to_a_file(viewer, tmp_path, suffix):
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    write_picks(source, PICKS)
    (layer,) = viewer.open(str(source), plugin="napari-cryopick")
    layer.save(str(target), plugin="napari-cryopick")
    back = read_picks(target)
    for name, picks in PICKS.by_micrograph.items():
        np.testing.assert_allclose(back.by_micrograph[name].positions, picks.positions)
        np.testing.assert_allclose(back.by_micrograph[name].scores, picks.scores)
    assert back.pixel_size_angstrom == 2


def test_only_what_is_shown_is_written(viewer, image, tmp_path):
    layer = ensure_picks(viewer, image)
    layer.add([[0, 10, 10], [1, 20, 20]])
    features = layer.features.assign(source="model", score=[0.9, 0.2])
    layer.features = features
    show_above(layer, 0.5)
    assert write_layer(tmp_path / "picks.star", layer) == 1
    assert len(read_picks(tmp_path / "picks.star")) == 1


def test_picks_that_were_deleted_in_a_file_stay_deleted(viewer, image):
    table = Picks.at([(5, 6), (50, 60)], status=[Status.DELETED, Status.OK])
    layer = curate(points_layers(PickSet({"a.mrc": table}), viewer.layers)[0])
    picks, deleted = curated_picks(layer)[0]
    assert picks.positions.tolist() == [[50, 60]]
    assert deleted.positions.tolist() == [[5, 6]]


def test_points_that_know_no_micrographs_cannot_be_written(viewer, tmp_path):
    layer = viewer.add_points([[1, 2]], name="dots")
    with pytest.raises(CryopickError, match="dots does not know its micrographs"):
        write_layer(tmp_path / "picks.star", layer)


def test_a_star_over_tiffs_counts_rows_as_relion_does(viewer, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.random.default_rng(0).integers(0, 9, (96, 64), "u1"))
    (tmp_path / "job").mkdir()
    header = "data_\n\nloop_\n_rlnMicrographName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n"
    (tmp_path / "job" / "p.star").write_text(f"{header}Movies/a.tif 5 90\n")
    (tiff,) = viewer.open(str(tmp_path / "a.tif"), plugin="napari-cryopick")
    picks = read_picks(tmp_path / "job" / "p.star", stack_of(tiff).paths)
    (layer,) = points_layers(picks, viewer.layers)
    assert layer.data[:, 1:].tolist() == [[5, 5]]
    layer.add([[0, 20, 30]])
    layer.features["cryopickMicrographHeight"] = [96, 7]
    write_layer(tmp_path / "out.star", layer)
    text = (tmp_path / "out.star").read_text()
    assert "\n96\t5\t90\t" in text
    assert "\n96\t30\t75\t" in text
