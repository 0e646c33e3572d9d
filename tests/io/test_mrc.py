"""MRC files of every mode, byte order, extended header and compression."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from mrcfile.dtypes import get_ext_header_dtype
from numpy.typing import NDArray

from napari_cryopick import CryopickError
from napari_cryopick.io import check_pixels, read_header, read_micrograph

MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
SHAPE = (72, 80)


def some_pixels(dtype: str) -> NDArray:
    return np.random.default_rng(1).integers(0, 100, SHAPE).astype(dtype)


def write_mrc(path: Path, pixels: NDArray, pixel_size_angstrom: float = 1.5) -> Path:
    with mrcfile.new(path) as mrc:
        mrc.set_data(pixels)
        mrc.voxel_size = pixel_size_angstrom
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mode", MODES)
def test_modes_and_byte_orders(tmp_path: Path, mode: int, order: str) -> None:
    pixels = some_pixels(order + MODES[mode])
    path = write_mrc(tmp_path / "a.mrc", pixels)
    micrograph = read_micrograph(path)
    with mrcfile.open(path, header_only=True) as mrc:
        assert mrc.header.mode == mode
    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.pixels.dtype == read_header(path).dtype == order + MODES[mode]
    assert micrograph.pixel_size_angstrom == 1.5


@pytest.mark.parametrize("suffix", [".mrc", ".mrcs", ".map", ".st", ".MRC"])
def test_suffixes_and_single_sections(tmp_path: Path, suffix: str) -> None:
    path = write_mrc(tmp_path / f"a{suffix}", some_pixels("f4")[np.newaxis])
    assert read_micrograph(path).shape == read_header(path).shape == SHAPE


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compression(tmp_path: Path, suffix: str, compress: type[bytes]) -> None:
    plain = write_mrc(tmp_path / "a_1.5.mrc", some_pixels("i2"))
    path = tmp_path / f"a_1.5.mrc{suffix}"
    path.write_bytes(compress(plain.read_bytes()))
    np.testing.assert_array_equal(read_micrograph(path).pixels, some_pixels("i2"))
    assert read_header(path).pixel_size_angstrom == 1.5


@pytest.mark.parametrize("kind", [b"FEI1", b"FEI2"])
def test_fei_extended_header(tmp_path: Path, kind: bytes) -> None:
    path = write_mrc(tmp_path / "a.mrc", some_pixels("u2"))
    with mrcfile.open(path, "r+") as mrc:
        extended = np.zeros(1, get_ext_header_dtype(kind, "<"))
        extended["Metadata size"] = extended.dtype.itemsize
        extended["Pixel size X"] = 1.5e-10
        mrc.set_extended_header(extended)
        mrc.header.exttyp = kind
    np.testing.assert_array_equal(read_micrograph(path).pixels, some_pixels("u2"))


def test_uncompressed_pixels_are_mapped_and_read_only(tmp_path: Path) -> None:
    pixels = read_micrograph(write_mrc(tmp_path / "a.mrc", some_pixels("f4"))).pixels
    assert isinstance(pixels, np.memmap)
    assert not pixels.flags.writeable


def test_old_files_without_identification_are_read(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", some_pixels("f4"))
    content = bytearray(path.read_bytes())
    content[208:216] = bytes(8)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_micrograph(path).pixels, some_pixels("f4"))


def test_a_wrong_machine_stamp_does_not_mislead(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", some_pixels(">f4"))
    content = bytearray(path.read_bytes())
    content[212:216] = bytes([0x44, 0x44, 0, 0])
    path.write_bytes(content)
    np.testing.assert_array_equal(read_micrograph(path).pixels, some_pixels("f4"))


def test_trailing_bytes_do_no_harm(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", some_pixels("f4"))
    path.write_bytes(path.read_bytes() + b"more")
    np.testing.assert_array_equal(read_micrograph(path).pixels, some_pixels("f4"))


def test_bytes_of_imod_are_unsigned(tmp_path: Path) -> None:
    pixels = some_pixels("u1") + 100
    path = write_mrc(tmp_path / "a.mrc", pixels.view("i1"))
    content = bytearray(path.read_bytes())
    content[152:160] = b"IMOD" + bytes(4)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)


@pytest.mark.parametrize(
    ("stated", "pixels", "unsigned"),
    [
        ((0, 255), (100, 200), True),
        ((-60, 60), (200, 300), False),
        ((0, 0), (90, 200), True),
        ((0, -1), (-60, 60), False),
        ((-30000, 30000), (90, 200), True),
        ((0, 100), (0, 100), False),
    ],
    ids=["header", "signed by header", "pixels", "signed by pixels", "absurd header", "either"],
)
@pytest.mark.parametrize("suffix", [".mrc", ".mrc.gz"])
def test_bytes_are_signed_unless_the_range_contradicts(
    tmp_path: Path,
    suffix: str,
    stated: tuple[float, float],
    pixels: tuple[int, int],
    unsigned: bool,
) -> None:
    wanted = np.random.default_rng(1).integers(*pixels, SHAPE).astype("u1" if unsigned else "i1")
    path = write_mrc(tmp_path / "a.mrc", wanted.view("i1"))
    with mrcfile.mmap(path, "r+") as mrc:
        mrc.header.dmin, mrc.header.dmax = stated
    if suffix == ".mrc.gz":
        path = path.rename(tmp_path / "plain")
        (tmp_path / "a.mrc.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = tmp_path / "a.mrc.gz"
    micrograph = read_micrograph(path)
    np.testing.assert_array_equal(micrograph.pixels, wanted)
    assert ("unsigned" in micrograph.note) == unsigned


def test_signed_bytes_of_imod_stay_signed_whatever_their_range(tmp_path: Path) -> None:
    pixels = (some_pixels("u1") + 100).view("i1")
    path = write_mrc(tmp_path / "a.mrc", pixels)
    content = bytearray(path.read_bytes())
    content[152:160] = b"IMOD" + bytes([1, 0, 0, 0])
    path.write_bytes(content)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)


def test_a_wrong_checksum_is_reported(tmp_path: Path) -> None:
    content = write_mrc(tmp_path / "whole.mrc", some_pixels("f4")).read_bytes()
    path = tmp_path / "wrong.mrc.gz"
    packed = bytearray(gzip.compress(content))
    packed[-8] ^= 1
    path.write_bytes(packed)
    with pytest.raises(CryopickError, match=rf"{path} cannot be read .*CRC"):
        read_micrograph(path)


@pytest.mark.parametrize("size", [0.0, 1.0, -2.0, np.nan, np.inf])
def test_a_dummy_pixel_size_is_unknown(tmp_path: Path, size: float) -> None:
    path = write_mrc(tmp_path / "a.mrc", some_pixels("f4"), size)
    assert read_micrograph(path).pixel_size_angstrom is None
    assert read_micrograph(path, 1.2).pixel_size_angstrom == 1.2


def test_a_given_pixel_size_goes_before_the_header(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", some_pixels("f4"))
    assert read_micrograph(path, 1.0).pixel_size_angstrom == 1.0


@pytest.mark.parametrize("kept", [100, 1024, 2000])
@pytest.mark.parametrize("suffix", [".mrc", ".mrc.gz"])
def test_a_truncated_file_is_reported(tmp_path: Path, kept: int, suffix: str) -> None:
    content = write_mrc(tmp_path / "whole.mrc", some_pixels("f4")).read_bytes()[:kept]
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    with pytest.raises(CryopickError, match=rf"{path} is (cut short|not an MRC file)"):
        read_micrograph(path)


def test_a_truncated_archive_is_reported(tmp_path: Path) -> None:
    content = write_mrc(tmp_path / "whole.mrc", some_pixels("f4")).read_bytes()
    path = tmp_path / "cut.mrc.gz"
    path.write_bytes(gzip.compress(content)[:2000])
    with pytest.raises(CryopickError, match=str(path)):
        read_micrograph(path)


@pytest.mark.parametrize("text", ["not an image", "lorem ipsum " * 1000])
def test_text_is_not_taken_for_pixels(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.mrc"
    path.write_text(text)
    with pytest.raises(CryopickError, match=rf"{path} is not an MRC file"):
        read_micrograph(path)


def test_complex_numbers_are_reported(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "fourier.mrc", some_pixels("c8"))
    with pytest.raises(CryopickError, match=rf"{path} holds complex numbers"):
        read_micrograph(path)


@pytest.mark.parametrize("shape", [(40, 72, 80), (2, 3, 72, 80)])
def test_stacks_and_volumes_are_reported(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write_mrc(tmp_path / "volume.mrc", np.zeros(shape, "f4"))
    with pytest.raises(CryopickError, match=rf"{path} holds {np.prod(shape[:-2])} sections"):
        read_micrograph(path)


def test_real_micrographs(shared_data: Path) -> None:
    path = shared_data / "apoferritin" / "micrographs" / "May08_03.05.02.mrc"
    micrograph = read_micrograph(path)
    check_pixels(micrograph)
    assert micrograph.shape == (1200, 1240)
    assert micrograph.pixel_size_angstrom == 1.5
    with mrcfile.open(path) as mrc:
        np.testing.assert_array_equal(micrograph.pixels, mrc.data)


def test_a_real_dummy_pixel_size(shared_data: Path) -> None:
    path = shared_data / "contamination" / "Ucsf_stack_1142_DW.mrc"
    assert read_micrograph(path).pixel_size_angstrom is None
