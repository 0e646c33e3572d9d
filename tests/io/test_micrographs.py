"""Micrographs are found, and what is not one is reported."""

from __future__ import annotations

import os
import time
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cryopick import CryopickError, Micrograph
from napari_cryopick.io import (
    check_pixels,
    find_micrographs,
    read_header,
    read_micrograph,
    require_pixel_size,
)


@pytest.mark.parametrize("read", [read_header, read_micrograph])
def test_missing_empty_and_tiny_files_are_reported(tmp_path: Path, read: object) -> None:
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
    ("value", "message"),
    [(np.nan, "no finite pixel"), (np.inf, "no finite pixel"), (7, "same value")],
)
def test_pixels_without_an_image_are_reported(value: float, message: str) -> None:
    path = Path("blank.mrc")
    with pytest.raises(CryopickError, match=f"{path} h.*{message}"):
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("m_10.mrc", "m_2.mrc", "m_1.mrc.gz", "n.TIF", ".hidden.mrc", "notes.txt", "picks.star")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "deeper.mrc").mkdir()
    return tmp_path


def names_of(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_folder_gives_its_micrographs_in_natural_order(folder: Path) -> None:
    assert names_of(find_micrographs([folder])) == ["m_1.mrc.gz", "m_2.mrc", "m_10.mrc", "n.TIF"]


def test_globs(folder: Path) -> None:
    assert names_of(find_micrographs([f"{folder}/m_*"])) == ["m_1.mrc.gz", "m_2.mrc", "m_10.mrc"]
    assert names_of(find_micrographs([folder / "**" / "n.*"])) == ["n.TIF"]


def test_a_micrograph_named_twice_is_taken_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = find_micrographs([folder / "m_2.mrc", "m_2.mrc", "*_2.mrc"])
    assert names_of(found) == ["m_2.mrc"]


def test_brackets_in_a_name_are_no_glob(tmp_path: Path) -> None:
    path = tmp_path / "grid[1].mrc"
    path.touch()
    assert find_micrographs([path]) == [path]


def test_a_file_named_outright_is_left_to_the_reader(folder: Path) -> None:
    (folder / "notes.doc").touch()
    (path,) = find_micrographs([folder / "notes.doc"])
    with pytest.raises(CryopickError, match=rf"{path} is not of a known image format"):
        read_micrograph(path)


@pytest.mark.parametrize("source", ["missing.mrc", "*.png"])
def test_a_source_of_nothing_is_reported(folder: Path, source: str) -> None:
    with pytest.raises(CryopickError, match="does not exist"):
        find_micrographs([folder, folder / source])


def test_an_empty_folder_is_reported(folder: Path) -> None:
    (folder / "nothing").mkdir()
    with pytest.raises(CryopickError, match=r"nothing holds no micrographs"):
        find_micrographs([folder / "nothing"])


def test_a_folder_named_like_a_micrograph_costs_nothing_else(folder: Path) -> None:
    found = find_micrographs([folder / "m_2.mrc", folder / "deeper.mrc"])
    assert names_of(found) == ["deeper.mrc", "m_2.mrc"]
    with pytest.raises(CryopickError, match=r"deeper.mrc is a folder"):
        read_micrograph(found[0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_pipe_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mrc")
    with pytest.raises(CryopickError, match=r"a.mrc is a device or a pipe"):
        read_micrograph(tmp_path / "a.mrc")


def test_a_dangling_link_in_a_folder_is_reported_by_its_reader(tmp_path: Path) -> None:
    (tmp_path / "a.mrc").symlink_to(tmp_path / "gone.mrc")
    (path,) = find_micrographs([tmp_path])
    with pytest.raises(CryopickError, match=r"a.mrc does not exist"):
        read_micrograph(path)


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["a.mrc", "a_PS.mrc", "b_ps.mrc"], ["a.mrc"]),
        (["a.mrc", "a_noDW.mrc"], ["a.mrc"]),
        (["a_noDW.mrc", "b_noDW.mrc"], ["a_noDW.mrc", "b_noDW.mrc"]),
        (["a.mrc", "a_DW.mrc", "b.mrc"], ["a_DW.mrc", "b.mrc"]),
        (
            ["1_patch_aligned.mrc", "1_patch_aligned_doseweighted.mrc"],
            ["1_patch_aligned_doseweighted.mrc"],
        ),
        (["a.mrc", "a.tif", "a.mrc.gz"], ["a.mrc", "a.mrc.gz", "a.tif"]),
    ],
)
@pytest.mark.parametrize("glob", ["", "*.*"])
def test_what_programs_leave_beside_a_micrograph_is_not_one(
    tmp_path: Path, names: list[str], taken: list[str], glob: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert names_of(find_micrographs([tmp_path / glob])) == taken
    assert names_of(find_micrographs([tmp_path / name for name in names])) == sorted(names)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.mrc", "a.mrc.gz", "a.mrc.bz2"])
def test_a_half_copied_file_of_any_kind_is_one_sentence(tmp_path: Path, name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 250, (100, 90), dtype="u1")
    path = tmp_path / name
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels, compression="lzw")
    elif path.suffix in (".png", ".jpg"):
        Image.fromarray(pixels).save(path)
    else:
        compression = {".gz": "gzip", ".bz2": "bzip2"}.get(path.suffix)
        with mrcfile.new(path, compression=compression) as mrc:
            mrc.set_data(pixels.astype("u2"))
    whole = path.read_bytes()
    for kept in np.linspace(1, 0.99 * len(whole), 25).astype(int):
        path.write_bytes(whole[:kept])
        with pytest.raises(CryopickError, match=rf"^{path} .*[^.]\.$"):
            read_micrograph(path)


def test_a_file_that_may_not_be_opened_is_reported(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "secret.mrc"
    mrcfile.write(path, np.ones((72, 80), "f4"))
    path.chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(CryopickError, match=rf"{path} cannot be opened; check its permissions"):
        read_micrograph(path)


def test_no_source_at_all_is_reported() -> None:
    with pytest.raises(CryopickError, match="No micrographs"):
        find_micrographs([])
