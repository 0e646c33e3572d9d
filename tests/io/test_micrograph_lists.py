"""Lists of micrographs, as other programs leave them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.io import find_micrographs, read_micrograph

NAMES = ("MotionCorr/job002/Movies/a.mrc", "MotionCorr/job002/Movies/b_PS.mrc")

CORRECTED = """
# version 30001

data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMicrographPixelSize #3
opticsGroup1 1 0.885

data_micrographs

loop_
_rlnCtfPowerSpectrum #1
_rlnMicrographName #2
_rlnMicrographMetadata #3
_rlnOpticsGroup #4
MotionCorr/job002/Movies/a_PS.mrc {0} MotionCorr/job002/Movies/a.star 1
MotionCorr/job002/Movies/b_PS.mrc {1} MotionCorr/job002/Movies/b.star 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "Select" / "job007").mkdir(parents=True)
    return tmp_path


def write_cryosparc(path: Path) -> Path:
    names = [f">{name}".encode() for name in NAMES]
    table = np.array(
        [(7, name) for name in names], [("uid", "u8"), ("micrograph_blob/path", "S99")]
    )
    with path.open("wb") as file:
        np.save(file, table)
    return path


def listing(folder: Path, suffix: str) -> Path:
    path = folder / f"micrographs{suffix}"
    if suffix == ".cs":
        return write_cryosparc(path)
    rows = "\n".join(NAMES)
    content = {
        "_corrected.star": CORRECTED.format(*NAMES),
        ".star": f"data_\n\nloop_\n_rlnMicrographName #1\n{rows}\n{NAMES[0]}\n",
        ".txt": f"\ufeff# my best\n\n{rows}\r\n",
    }
    path.write_text(content[suffix], "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".star", "_corrected.star", ".txt", ".cs"])
@pytest.mark.parametrize("folder", ["", "Select/job007"])
def test_a_list_in_the_project_stands_for_its_micrographs(
    project: Path, suffix: str, folder: str
) -> None:
    found = find_micrographs([listing(project / folder, suffix)])
    assert found == [project / name for name in NAMES]


def test_the_micrographs_of_cryosparcs_particles(project: Path) -> None:
    path = listing(project, ".cs")
    table = np.load(path)
    table.dtype.names = ("uid", "location/micrograph_path")
    with path.open("wb") as file:
        np.save(file, np.concatenate([table, table]))
    assert find_micrographs([path]) == [project / name for name in NAMES]


def test_a_missing_micrograph_of_a_list_is_left_to_its_reader(project: Path) -> None:
    (project / NAMES[0]).unlink()
    missing, there = find_micrographs([listing(project, ".star")])
    assert there == project / NAMES[1]
    with pytest.raises(CryopickError, match=rf"{missing} does not exist"):
        read_micrograph(missing)


def test_a_list_far_from_its_project_is_reported(project: Path, tmp_path_factory) -> None:
    path = listing(tmp_path_factory.mktemp("elsewhere"), ".star")
    with pytest.raises(CryopickError, match=rf"{path} lists {NAMES[0]}, which is not found"):
        find_micrographs([path])


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.star", b"data_\n\nloop_\n_rlnCoordinateX #1\n3.5\n"), ("a.txt", b"# none\n")],
)
def test_a_list_of_nothing_is_reported(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CryopickError, match=rf"{name} names no micrographs"):
        find_micrographs([tmp_path / name])


@pytest.mark.parametrize("name", ["a.star", "a.txt", "a.cs"])
def test_a_broken_list_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x93NUMPY\x01\x00\xff\xfe\n_rlnMicrographName\nloop_\n")
    with pytest.raises(CryopickError, match=rf"{name} (cannot be read|names no|holds binary)"):
        find_micrographs([tmp_path / name])


def test_a_pickle_in_a_list_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.cs"
    with path.open("wb") as file:
        np.save(file, np.array([{"micrograph_blob/path": "a.mrc"}], dtype=object))
    with pytest.raises(CryopickError, match=r"a.cs cannot be read as a list"):
        find_micrographs([path])
