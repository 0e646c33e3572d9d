"""Stacks as other programs read them."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import starfile

from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import read_picks
from napari_cryopick.io.stacks import StackWriter, write_stack_star
from napari_cryopick.picks import Picks, PickSet

IMAGES = np.random.default_rng(0).normal(0.3, 1.2, (7, 24, 24)).astype(np.float32)
UNKNOWN = (None, None, None)


def test_a_stack_written_piece_by_piece_is_a_valid_mrc(tmp_path):
    path = tmp_path / "particles.mrcs"
    with path.open("wb") as file:
        writer = StackWriter(file, 24)
        for part in (IMAGES[:4], IMAGES[4:4], IMAGES[4:]):
            writer.append(part)
        writer.finish(2.5)
    assert mrcfile.validate(path)
    with mrcfile.open(path) as mrc:
        assert mrc.is_image_stack()
        assert mrc.header.mode == 2
        assert mrc.voxel_size.x == mrc.voxel_size.y == 2.5
        assert mrc.header.rms == pytest.approx(IMAGES.std(), rel=1e-4)
        np.testing.assert_array_equal(mrc.data, IMAGES)


def picks(**of: object) -> PickSet:
    two = Picks.at(
        [(10.25, 20.5), (30, 40)], [0.9, 0.8], extra={"rlnDefocusU": np.array([9e3, 8e3])}
    )
    one = Picks.at([(50, 60)], [0.7], extra={"rlnDefocusU": np.array([7e3])})
    return PickSet({"Movies/a.mrc": two, "Movies/b.mrc": one}, 1.5, **of)


def test_the_star_names_each_image_and_keeps_where_it_was(tmp_path):
    star = tmp_path / "particles.star"
    write_stack_star(
        star, tmp_path / "particles.mrcs", picks(diameter_angstrom=126), 24, 2, UNKNOWN
    )
    read = starfile.read(star)
    rows, optics = read["particles"], read["optics"].iloc[0]
    stack = (tmp_path / "particles.mrcs").as_posix()
    assert rows["rlnImageName"].tolist() == [f"{n:06d}@{stack}" for n in (1, 2, 3)]
    assert rows["rlnMicrographName"].tolist() == ["Movies/a.mrc", "Movies/a.mrc", "Movies/b.mrc"]
    assert rows["rlnCoordinateX"].tolist() == [20.5, 40, 60]
    assert rows["rlnCoordinateY"].tolist() == [10.25, 30, 50]
    assert rows["rlnAutopickFigureOfMerit"].tolist() == [0.9, 0.8, 0.7]
    assert rows["rlnDefocusU"].tolist() == [9000, 8000, 7000]
    assert (rows["rlnOpticsGroup"] == 1).all()
    assert optics["rlnOpticsGroup"] == 1
    assert (optics["rlnImageSize"], optics["rlnImageDimensionality"]) == (24, 2)
    assert (optics["rlnImagePixelSize"], optics["rlnMicrographOriginalPixelSize"]) == (3, 1.5)
    assert optics["rlnParticleDiameter"] == 126
    ours = read_picks(star)
    assert ours.pixel_size_angstrom == 1.5
    np.testing.assert_array_equal(ours.by_micrograph["Movies/a.mrc"].positions[0], (10.25, 20.5))


def test_what_is_known_of_the_microscope_is_kept_and_what_is_given_goes_first(tmp_path):
    groups = {
        "rlnOpticsGroup": np.array([1, 2]),
        "rlnOpticsGroupName": np.array(["monday", "tuesday"]),
        "rlnVoltage": np.array([200, 200]),
        "rlnSphericalAberration": np.array([1.4, 1.4]),
    }
    star = tmp_path / "particles.star"
    write_stack_star(
        star, tmp_path / "particles.mrcs", picks(optics=groups), 24, 1, (None, 0.01, None)
    )
    optics = starfile.read(star)["optics"]
    assert optics["rlnOpticsGroupName"].tolist() == ["monday", "tuesday"]
    assert optics["rlnVoltage"].tolist() == [200, 200]
    assert optics["rlnSphericalAberration"].tolist() == [0.01, 0.01]
    assert optics["rlnAmplitudeContrast"].tolist() == [0.1, 0.1]
    assert optics["rlnImageSize"].tolist() == [24, 24]


def test_a_name_that_relion_cannot_read_is_told(tmp_path):
    with pytest.warns(CryopickWarning, match=r"RELION reads no spaces in names, as in my stack"):
        write_stack_star(tmp_path / "a.star", Path("my stack.mrcs"), picks(), 24, 1, UNKNOWN)
    assert starfile.read(tmp_path / "a.star")["particles"]["rlnImageName"][0] == (
        "000001@my stack.mrcs"
    )
