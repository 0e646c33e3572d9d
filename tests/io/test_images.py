"""TIFF, PNG and JPEG micrographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cryopick import CryopickError
from napari_cryopick.io import read_header, read_micrograph

PIXELS = np.random.default_rng(2).integers(0, 200, (72, 80))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd"])
def test_types_orders_and_compression(
    tmp_path: Path, dtype: str, order: str, compression: str | None
) -> None:
    path = tmp_path / "a.tif"
    pixels = PIXELS.astype(dtype)
    tifffile.imwrite(path, pixels, byteorder=order, compression=compression)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)
    assert read_micrograph(path).pixels.dtype == read_header(path).dtype
    assert isinstance(read_micrograph(path).pixels, np.memmap) == (
        compression is None and order == "<"
    )


@pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_predictors_and_tiles(tmp_path: Path, dtype: str, compression: str) -> None:
    path = tmp_path / "a.tif"
    pixels = PIXELS.astype(dtype) - PIXELS.astype(dtype).max() // 2
    tifffile.imwrite(path, pixels, compression=compression, predictor=True, tile=(64, 64))
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)


def test_an_unknown_compression_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS.astype("u1"))
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages.first.tags["Compression"].overwrite(12345)
    with pytest.raises(CryopickError, match=rf"{path} is compressed .* save it uncompressed"):
        read_header(path)


@pytest.mark.parametrize("edges", [(40_000, 40_000), (2**31 - 1, 70)])
def test_absurd_sizes_are_reported_before_memory_is_asked_for(
    tmp_path: Path, edges: tuple[int, int]
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS.astype("u1"), compression="lzw")
    with tifffile.TiffFile(path, mode="r+") as tif:
        for tag, edge in zip(("ImageLength", "ImageWidth"), edges, strict=True):
            tif.pages.first.tags[tag].overwrite(edge, dtype="I")
    with pytest.raises(CryopickError, match=str(path)):
        read_header(path)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_colour_tiff_turns_grey(tmp_path: Path, planar: str) -> None:
    path = tmp_path / "a.tiff"
    grey = PIXELS.astype("u2")
    colour = np.stack([grey] * 3, axis=-1 if planar == "contig" else 0)
    tifffile.imwrite(path, colour, photometric="rgb", planarconfig=planar)
    np.testing.assert_allclose(read_micrograph(path).pixels, grey, atol=1)
    assert read_header(path).shape == grey.shape
    assert read_header(path).dtype == read_micrograph(path).pixels.dtype


@pytest.mark.parametrize(
    ("dots", "unit", "size"), [(1e8 / 1.77, "CENTIMETER", 1.77), (2.54e8 / 0.66, "INCH", 0.66)]
)
def test_pixel_size_from_the_resolution(
    tmp_path: Path, dots: float, unit: str, size: float
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS.astype("u1"), resolution=(dots, dots), resolutionunit=unit)
    assert read_header(path).pixel_size_angstrom == pytest.approx(size, rel=1e-4)


@pytest.mark.parametrize("tags", [{}, {"resolution": (72, 72), "resolutionunit": "INCH"}])
def test_no_resolution_or_one_for_print_is_unknown(tmp_path: Path, tags: dict) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS.astype("u1"), **tags)
    assert read_micrograph(path).pixel_size_angstrom is None


@pytest.mark.parametrize("imagej", [True, False])
def test_a_movie_is_reported(tmp_path: Path, imagej: bool) -> None:
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, np.zeros((7, 72, 80), "u2"), imagej=imagej)
    with pytest.raises(CryopickError, match=rf"{path} holds 7 sections"):
        read_micrograph(path)


def test_a_broken_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_text("not a TIFF at all")
    with pytest.raises(CryopickError, match=rf"{path} cannot be read as a micrograph"):
        read_micrograph(path)


def test_a_truncated_tiff_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS.astype("f4"))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CryopickError, match=str(path)):
        read_micrograph(path)


RAMP = np.add.outer(np.arange(72), np.arange(80))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_grey_png_is_exact(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.png"
    pixels = (RAMP * (1 if dtype == "u1" else 300)).astype(dtype)
    Image.fromarray(pixels).save(path)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)
    assert read_micrograph(path).pixels.dtype == read_header(path).dtype == dtype
    assert read_micrograph(path).pixel_size_angstrom is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_colour_turns_grey(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP.astype("u1")).convert(mode).save(path)
    np.testing.assert_allclose(read_micrograph(path).pixels, RAMP, atol=1)
    assert read_header(path).shape == RAMP.shape


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_jpeg(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(RAMP.astype("u1")).convert("RGB").save(path, quality=95)
    np.testing.assert_allclose(read_micrograph(path).pixels, RAMP, atol=8)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_truncated_file_is_reported(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    noise = np.random.default_rng(3).integers(0, 255, RAMP.shape, "u1")
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CryopickError, match=rf"{path} cannot be read as a micrograph"):
        read_micrograph(path)


def test_text_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("not a picture")
    with pytest.raises(CryopickError, match=rf"{path} cannot be read as a micrograph"):
        read_micrograph(path)


def test_more_pixels_than_a_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP.astype("u1")).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", RAMP.size - 1)
    assert read_micrograph(path).shape == RAMP.shape
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", RAMP.size // 3)
    with pytest.raises(CryopickError, match=rf"{path} claims more pixels"):
        read_header(path)


def test_a_real_jpeg(shared_data: Path) -> None:
    folder = shared_data / "beta_galactosidase" / "micrographs"
    path = folder / "Falcon_2012_06_12-14_33_35_0.jpg"
    assert read_micrograph(path).shape == read_header(path).shape == (4096, 4096)
