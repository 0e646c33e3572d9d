"""From a file's pixels to what the network sees."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.imaging.prepare import prepare
from napari_cryopick.io import read_micrograph
from napari_cryopick.micrograph import Micrograph

PATH = Path("grid7/square_3.mrc")
COUNTS = np.random.default_rng(0).poisson(60, (200, 260))


def micrograph(pixels: np.ndarray = COUNTS, pixel_size_angstrom: float | None = 2.0) -> Micrograph:
    return Micrograph(pixels, pixel_size_angstrom, PATH)


def test_a_particle_has_the_size_the_network_was_trained_for():
    image, rescaling = prepare(micrograph(), diameter_angstrom=80, particle_px=20)
    assert rescaling.factor == 0.5
    assert image.shape == (100, 130)


@pytest.mark.parametrize("dtype", [">f4", ">i2", "u1", "u2", ">u2", "i4", "f2", "f8"])
def test_every_type_of_pixel_gives_the_same_image(dtype):
    image, _ = prepare(micrograph(COUNTS.astype(dtype)), 80, 20)
    expected, _ = prepare(micrograph(COUNTS.astype(np.float32)), 80, 20)
    np.testing.assert_array_equal(image, expected)


def test_a_big_endian_file_on_disk_is_prepared_and_left_alone(tmp_path):
    path = tmp_path / "big_endian.mrc"
    with mrcfile.new(path, COUNTS.astype(">i2")) as mrc:
        mrc.voxel_size = 2.0
    before = path.read_bytes()
    image, _ = prepare(read_micrograph(path), 80, 20)
    expected, _ = prepare(micrograph(), 80, 20)
    np.testing.assert_array_equal(image, expected)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("bad", "diameter_angstrom", "complaint"),
    [
        (micrograph(np.full((200, 260), 3.0)), 80, "same value in every pixel"),
        (micrograph(np.full((200, 260), np.nan)), 80, "no finite pixel"),
        (micrograph(), 300, "spans 150 pixels at 2 Å, more than half"),
        (micrograph(), 1e9, "more than half"),
        (micrograph(), 5, "only 2.5 pixels"),
        (micrograph(pixel_size_angstrom=None), 80, "does not say its pixel size"),
        (micrograph(pixel_size_angstrom=0.001), 80, "check diameter and pixel size"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_the_file(bad, diameter_angstrom, complaint):
    with pytest.raises(CryopickError, match=complaint) as caught:
        prepare(bad, diameter_angstrom, 20)
    message = str(caught.value)
    assert str(PATH) in message
    assert message.endswith(".")
    assert "\n" not in message
