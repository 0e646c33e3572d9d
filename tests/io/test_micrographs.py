"""What is told of files and pixels that are no micrograph."""

from __future__ import annotations

import time
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from napari_cryopick import CryopickError, Micrograph
from napari_cryopick.io import check_pixels, read_header, read_micrograph, require_pixel_size


@pytest.mark.parametrize("read", [read_header, read_micrograph])
def test_missing_empty_and_tiny_files_are_told(tmp_path: Path, read: object) -> None:
    assert callable(read)
    missing, empty, tiny = (tmp_path / f"{name}.mrc" for name in ("missing", "empty", "tiny"))
    empty.touch()
    mrcfile.write(tiny, np.ones((16, 16), "f4"))
    with pytest.raises(CryopickError, match=rf"{missing} does not exist"):
        read(missing)
    with pytest.raises(CryopickError, match=rf"{empty} is empty"):
        read(empty)
    with pytest.raises(CryopickError, match=rf"{tiny} is only 16 x 16 pixels"):
        read(tiny)
    with pytest.raises(CryopickError, match=r"is a folder|cannot be opened"):
        read(_folder(tmp_path / "folder.mrc"))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("value", "told"), [(np.nan, "no finite pixel"), (np.inf, "no finite pixel"), (7, "same value")]
)
def test_pixels_without_an_image_are_told(value: float, told: str) -> None:
    path = Path("blank.mrc")
    with pytest.raises(CryopickError, match=f"{path} h.*{told}"):
        check_pixels(Micrograph(np.full((600, 700), value, "f4"), path=path))


def test_some_bad_pixels_and_sparse_images_are_tolerated() -> None:
    pixels = np.zeros((1024, 1024), "f4")
    pixels[::2, ::2] = np.nan
    pixels[3, 3] = 1
    check_pixels(Micrograph(pixels))


def test_checking_a_large_micrograph_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "large.mrc"
    pixels = np.random.default_rng(0).integers(0, 255, (4096, 4096)).astype("i1")
    mrcfile.write(path, pixels)
    micrograph = read_micrograph(path)
    start = time.perf_counter()
    check_pixels(micrograph)
    assert time.perf_counter() - start < 0.1


def test_an_unknown_pixel_size_is_asked_for() -> None:
    pixels = np.zeros((64, 64))
    assert require_pixel_size(Micrograph(pixels, 1.2)) == 1.2
    with pytest.raises(CryopickError, match=r"lost.mrc does not say its pixel size"):
        require_pixel_size(Micrograph(pixels, None, Path("lost.mrc")))
