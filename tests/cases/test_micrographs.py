"""Files of micrographs that people had trouble with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_cryopick.cli.main import main
from napari_cryopick.io import find_micrographs, read_micrograph, read_picks

PROGRAM = "from napari_cryopick.cli.main import main; raise SystemExit(main())"


def predict(source: Path, output: Path, *options: str) -> list[str]:
    words = ["predict", source, "--diameter", 120, "--pixel-size", 4, "--output", output]
    return [*map(str, words), *options]


def test_01_a_half_copied_tiff_costs_no_other(shared_cases, tmp_path):
    folder = shared_cases / "01_half_copied_tiff" / "micrographs"
    words = predict(folder, tmp_path / "p.star", "--json", str(tmp_path / "p.json"))
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "<tifffile" not in done.stderr
    assert done.stderr.count("m_1b.tif cannot be read as a micrograph") == 1
    data = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert [Path(one["path"]).name for one in data["micrographs"]] == ["m_1.mrc", "m_2.mrc"]
    assert (tmp_path / "p.star").exists()


def test_02_unsigned_bytes_are_the_same_image_as_a_png(shared_cases, tmp_path, capsys):
    folder = shared_cases / "02_mode0_unsigned_bytes"
    mrc, png = (read_micrograph(folder / f"same.{kind}") for kind in ("mrc", "png"))
    np.testing.assert_array_equal(mrc.pixels, png.pixels)
    for kind in ("mrc", "png"):
        words = predict(folder / f"same.{kind}", tmp_path / f"{kind}.csv", "--threshold", "0")
        assert main(words) == 0
    assert capsys.readouterr().err.count("same.mrc: its bytes are read as unsigned") == 1
    (of_mrc,), (of_png,) = (
        read_picks(tmp_path / f"{kind}.csv").by_micrograph.values() for kind in ("mrc", "png")
    )
    np.testing.assert_array_equal(of_mrc.positions, of_png.positions)
    assert len(of_mrc) > 0


@pytest.mark.parametrize("name", ["lzw", "zstd"])
def test_12_compressed_tiffs_are_read(shared_cases, name):
    folder = shared_cases / "12_tiff_compressions"
    assert find_micrographs([folder])[0].name == "lzw.tif"
    pixels = read_micrograph(folder / f"{name}.tif").pixels
    assert pixels.std() > 0
    np.testing.assert_array_equal(pixels, read_micrograph(folder / "lzw.tif").pixels)


def test_17_power_spectra_are_no_micrographs_and_a_list_is_followed(shared_cases):
    folder = shared_cases / "17_power_spectra_in_relion_folder"
    movies = folder / "MotionCorr" / "job002" / "Movies"
    assert find_micrographs([movies]) == [movies / "a.mrc"]
    assert find_micrographs([folder / "micrographs.star"]) == [movies / "a.mrc"]
