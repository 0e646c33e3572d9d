"""Picks in a format that the suffix tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import CryopickError, Picks
from napari_cryopick.io import PickSet, read_picks, write_picks


def test_an_unknown_suffix_is_told(tmp_path: Path) -> None:
    path = tmp_path / "picks.xyz"
    with pytest.raises(CryopickError, match=rf"{path} is not of a known .* \(\.star, \.csv"):
        write_picks(path, PickSet({}))
    with pytest.raises(CryopickError, match=rf"{path} is not of a known"):
        read_picks(path)


@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_missing_files_and_folders_are_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picks{suffix}"
    with pytest.raises(CryopickError, match=f"{path} does not exist"):
        read_picks(path)
    path.mkdir()
    with pytest.raises(CryopickError, match=f"{path} is a folder"):
        read_picks(path)


def test_csv_to_star_and_back_keeps_further_columns(tmp_path: Path) -> None:
    csv, star = tmp_path / "a.csv", tmp_path / "a.star"
    extra = {"rlnAnglePsi": np.array([1.5, 2.5]), "class name": np.array(["good", "very good"])}
    write_picks(csv, PickSet({"m/a.mrc": Picks.at([[1, 2], [3, 4]], extra=extra)}, 1.5))
    write_picks(star, read_picks(csv))
    (picks,) = read_picks(star).by_micrograph.values()
    np.testing.assert_array_equal(picks.positions, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(picks.extra["rlnAnglePsi"], [1.5, 2.5])
    np.testing.assert_array_equal(picks.extra["class_name"], ["good", "very good"])
    assert read_picks(star).pixel_size_angstrom == 1.5


def test_importing_costs_no_heavy_library() -> None:
    code = (
        "import sys, napari_cryopick.io; print({'torch', 'pandas', 'napari'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
