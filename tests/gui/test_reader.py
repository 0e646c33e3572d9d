from __future__ import annotations

import mrcfile
import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_cryopick import CryopickError
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.layers.layers import pixel_size_angstrom, stack_of


def test_a_folder_opens_as_one_lazy_stack_in_angstrom(viewer, folder):
    (layer,) = viewer.open(str(folder), plugin="napari-cryopick")
    assert layer.data.shape == (3, 160, 192)
    assert layer.data.dtype == np.float32
    assert tuple(layer.scale) == (1, 2, 2)
    assert pixel_size_angstrom(layer) == 2
    assert [path.name for path in stack_of(layer).paths] == ["a.mrc", "b.mrc", "c.mrc"]
    for index, path in enumerate(stack_of(layer).paths):
        pixels = mrcfile.read(path)
        height, width = pixels.shape
        shown = np.asarray(layer.data[index])
        np.testing.assert_array_equal(shown[:height, :width], pixels)
        assert (shown[height:] == pixels.min()).all()
        assert (shown[:, width:] == pixels.min()).all()


def test_pixels_are_read_when_they_are_looked_at(viewer, folder):
    last = folder / "c.mrc"
    last.write_bytes(last.read_bytes()[:-100])
    (layer,) = viewer.open(str(folder), plugin="napari-cryopick")
    assert np.isfinite(layer.data[0]).all()
    with notification_manager:
        before = len(notification_manager.records)
        for _ in range(2):
            assert not np.asarray(layer.data[2]).any()
    (told,) = notification_manager.records[before:]
    assert "c.mrc is cut short" in told.message


def test_a_file_that_is_shortened_while_it_is_open_does_no_harm(viewer, folder):
    (layer,) = viewer.open(str(folder), plugin="napari-cryopick")
    for index in (0, 1):
        viewer.dims.set_point(0, index)
    (folder / "a.mrc").write_bytes((folder / "a.mrc").read_bytes()[:2000])
    viewer.dims.set_point(0, 0)
    assert not np.asarray(layer.data[0]).any()


def test_one_file_is_a_stack_of_one(viewer, folder):
    (layer,) = viewer.open(str(folder / "b.mrc"), plugin="napari-cryopick")
    assert layer.data.shape == (1, 128, 160)
    assert layer.name == "b.mrc"


def test_a_hot_pixel_does_not_ruin_the_contrast(folder):
    with mrcfile.open(folder / "a.mrc", "r+") as mrc:
        mrc.data[:] = np.random.default_rng(0).normal(10, 2, mrc.data.shape)
        mrc.data[3, 5], mrc.data[4, 4] = 1e9, np.nan
    low, high = read_stacks(str(folder))[0][1]["contrast_limits"]
    assert 2 < low < 7
    assert 13 < high < 18


def test_an_unknown_pixel_size_is_not_taken_for_one(folder):
    for path in folder.iterdir():
        with mrcfile.open(path, "r+") as mrc:
            mrc.voxel_size = 1.0
    _, attributes, _ = read_stacks(str(folder))[0]
    assert set(attributes["units"]) == {"pixel"}


def test_each_pixel_size_has_a_layer_of_its_own(folder):
    with mrcfile.open(folder / "b.mrc", "r+") as mrc:
        mrc.voxel_size = 1.3
    layers = read_stacks(str(folder))
    assert [attributes["scale"][-1] for _, attributes, _ in layers] == [2, 1.3]
    assert [len(attributes["metadata"]["cryopick"]) for _, attributes, _ in layers] == [2, 1]


def test_what_cannot_be_read_is_left_out_with_a_warning(folder):
    (folder / "b.mrc").write_text("not an image")
    with notification_manager:
        ((pixels, _, _),) = read_stacks(str(folder))
        assert len(pixels) == 2
        message = notification_manager.records[-1].message
        assert message.startswith("1 of 3 left out")
        assert "b.mrc" in message


def test_a_folder_of_nothing_readable_says_why(folder):
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CryopickError, match=r"a\.mrc is empty"):
        read_stacks(str(folder))


def test_a_first_micrograph_that_is_cut_short_is_blank_and_the_others_are_shown(folder):
    (folder / "a.mrc").write_bytes((folder / "a.mrc").read_bytes()[:-99])
    with notification_manager:
        ((pixels, attributes, _),) = read_stacks(str(folder))
        assert not np.asarray(pixels[0]).any()
        (message,) = {record.message for record in notification_manager.records[-1:]}
    assert "a.mrc is cut short" in message
    low, high = attributes["contrast_limits"]
    assert low < np.median(np.asarray(pixels[1])) < high


@pytest.mark.parametrize("name", ["micrographs.star", "exposures.cs", "list.txt"])
def test_a_list_opens_its_micrographs(viewer, folder, name):
    if name.endswith(".star"):
        (folder / name).write_text("data_\n\nloop_\n_rlnMicrographName #1\nb.mrc\nc.mrc\n")
    elif name.endswith(".txt"):
        (folder / name).write_text("b.mrc\nc.mrc\n")
    else:
        with (folder / name).open("wb") as file:
            np.save(file, np.array([(b"b.mrc",), (b">c.mrc",)], [("micrograph_blob/path", "S9")]))
    (layer,) = viewer.open(str(folder / name), plugin="napari-cryopick")
    assert [path.name for path in stack_of(layer).paths] == ["b.mrc", "c.mrc"]


def test_how_bytes_are_read_is_said_once(folder):
    for path in folder.glob("*.mrc"):
        pixels = np.random.default_rng(0).integers(100, 200, (96, 96)).astype("u1").view("i1")
        mrcfile.write(path, pixels, voxel_size=2, overwrite=True)
        with mrcfile.mmap(path, "r+") as mrc:
            mrc.header.dmin, mrc.header.dmax = 100, 199
    with notification_manager:
        before = len(notification_manager.records)
        ((pixels, _, _),) = read_stacks(str(folder))
        said = [record.message for record in notification_manager.records[before:]]
    assert pixels.dtype == np.uint8
    assert [message for message in said if "unsigned" in message] == said
    assert len(said) == 1
