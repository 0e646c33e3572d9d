"""Finding micrographs."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.io import find_micrographs, read_micrograph


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
    (path,) = find_micrographs([folder / "notes.txt"])
    with pytest.raises(CryopickError, match=rf"{path} is not of a known image format"):
        read_micrograph(path)


@pytest.mark.parametrize("source", ["missing.mrc", "*.png"])
def test_a_source_of_nothing_is_told(folder: Path, source: str) -> None:
    with pytest.raises(CryopickError, match="does not exist"):
        find_micrographs([folder, folder / source])


def test_an_empty_folder_is_told(folder: Path) -> None:
    with pytest.raises(CryopickError, match=r"deeper.mrc holds no micrographs"):
        find_micrographs([folder / "deeper.mrc"])


def test_no_source_at_all_is_told() -> None:
    with pytest.raises(CryopickError, match="No micrographs"):
        find_micrographs([])
