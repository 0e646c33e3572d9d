from __future__ import annotations

from dataclasses import replace

import mrcfile
import numpy as np
import pytest
import starfile

from napari_cryopick import CryopickError, Picks, PickSet
from napari_cryopick.io.class_folder import CLASS, ClassFolder, read_classes, write_classes


@pytest.fixture
def classes() -> ClassFolder:
    numbers = np.array([1, 1, 2, 1, 3, 0])
    picks = Picks.at(np.arange(12).reshape(6, 2), 0.5, extra={CLASS: numbers})
    return ClassFolder(
        np.random.default_rng(0).normal(size=(3, 42, 42)).astype(np.float32),
        4.5,
        np.array([3, 1, 1]),
        np.array([0.4, np.nan, 0.9]),
        np.array([20.0, 30.0, 25.0]),
        np.array(["unsure", "unsure", "particle"]),
        PickSet({"one.mrc": picks}, 1.5, diameter_angstrom=126),
    )


def test_what_is_written_is_read_back(classes, tmp_path):
    folder = tmp_path / "new" / "classes"
    write_classes(folder, classes)
    read = read_classes(folder)
    for name in ("averages", "members", "expected_shares", "resolutions_angstrom", "verdicts"):
        np.testing.assert_array_equal(getattr(read, name), getattr(classes, name))
    assert read.pixel_size_angstrom == pytest.approx(4.5)
    picks = read.picks.by_micrograph["one.mrc"]
    np.testing.assert_array_equal(picks.extra[CLASS], [1, 1, 2, 1, 3, 0])
    assert read.picks.diameter_angstrom == 126
    np.testing.assert_array_equal(read.ranking, [2, 0, 1])


def test_a_single_class_is_read_back(classes, tmp_path):
    one = {name: getattr(classes, name)[:1] for name in ("averages", "members", "verdicts")}
    shares = {"expected_shares": np.array([0.4]), "resolutions_angstrom": np.array([20.0])}
    write_classes(tmp_path, replace(classes, **one, **shares))
    assert read_classes(tmp_path).averages.shape == (1, 42, 42)


def test_other_programs_read_it(classes, tmp_path):
    write_classes(tmp_path, classes)
    with mrcfile.open(tmp_path / "classes.mrcs") as stack:
        assert stack.is_image_stack()
        assert stack.data.shape == (3, 42, 42)
    assert mrcfile.validate(tmp_path / "classes.mrcs")
    table = starfile.read(tmp_path / "classes.star")
    assert table["rlnReferenceImage"][1] == f"000002@{(tmp_path / 'classes.mrcs').as_posix()}"
    assert table["rlnClassDistribution"].tolist() == [0.6, 0.2, 0.2]
    assert starfile.read(tmp_path / "particles.star")["particles"][CLASS].tolist()[-1] == 0


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(CryopickError, match=r"classes\.star does not exist"):
        read_classes(tmp_path)
    (tmp_path / "classes.star").write_text("data_\nloop_\n_rlnClassNumber\n1\n")
    with pytest.raises(CryopickError, match="has no columns"):
        read_classes(tmp_path)


def test_files_that_do_not_belong_together_are_refused(classes, tmp_path):
    write_classes(tmp_path, classes)
    write_classes(tmp_path / "two", replace(classes, averages=classes.averages[:2]))
    (tmp_path / "two" / "classes.mrcs").replace(tmp_path / "classes.mrcs")
    with pytest.raises(CryopickError, match="holds 2 averages"):
        read_classes(tmp_path)
