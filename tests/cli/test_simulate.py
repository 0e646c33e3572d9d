from __future__ import annotations

import json

import mrcfile
import numpy as np
import pytest

from napari_cryopick.cli.main import main
from napari_cryopick.io import read_header, read_picks

FEW = ["--shape", "200", "240", "--particles", "12", "--empty-micrographs", "0"]
COARSE = [*FEW, "--pixel-size", "4"]


@pytest.fixture
def ball(tmp_path):
    """A map of a ball, 100 Å wide."""
    z, y, x = np.ogrid[:32, :32, :32]
    path = tmp_path / "ball.mrc"
    inside = (x - 16) ** 2 + (y - 16) ** 2 + (z - 16) ** 2 <= 12.5**2
    with mrcfile.new(path, inside.astype(np.float32)) as mrc:
        mrc.voxel_size = 4.0
    return path


@pytest.fixture
def shell(tmp_path):
    """A model of residues on a sphere, 80 Å wide."""
    points = np.random.default_rng(0).normal(size=(200, 3))
    points *= 40 / np.linalg.norm(points, axis=1, keepdims=True)
    path = tmp_path / "shell.pdb"
    path.write_text(
        "".join(
            f"ATOM  {n:5d}  CA  LEU A{n:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00 10.00           C\n"
            for n, (x, y, z) in enumerate(points, 1)
        )
        + "END\n"
    )
    return path


def test_a_project_comes_of_a_structure(ball, tmp_path, capsys):
    output = tmp_path / "made"
    words = [
        "simulate",
        str(ball),
        "--output",
        str(output),
        "--count",
        "2",
        *COARSE,
        "--json",
        "-",
    ]
    assert main(words) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert len(data["micrographs"]) == 2
    assert "ball: 1" in err
    picks = read_picks(output / "particles.star")
    assert len(picks) == sum(one["particles"] for one in data["micrographs"]) > 0
    for name in picks.by_micrograph:
        header = read_header(output / name)
        assert header.shape == (200, 240)
        assert header.pixel_size_angstrom == pytest.approx(4)
    assert {path.name for path in output.iterdir()} == {
        "micrographs",
        "masks",
        "particles.star",
        "settings.yaml",
        "exposures.yaml",
    }


def test_what_is_there_is_not_written_over(ball, tmp_path, capsys):
    words = [
        "simulate",
        str(ball),
        "--output",
        str(tmp_path / "made"),
        "--count",
        "1",
        *COARSE,
    ]
    assert main(words) == 0
    assert main(words) == 1
    assert "holds a simulation" in capsys.readouterr().err


def test_several_structures_may_be_mixed(ball, shell, tmp_path):
    output = tmp_path / "made"
    words = ["simulate", str(ball), str(shell), "--output", str(output), "--count", "1"]
    assert main([*words, *COARSE, "--mixed"]) == 0
    (picks,) = read_picks(output / "particles.star").by_micrograph.values()
    assert set(picks.extra["rlnClassNumber"]) == {1, 2}


def test_the_same_seed_writes_the_same(shell, tmp_path):
    for name in ("first", "second"):
        words = [
            "simulate",
            str(shell),
            "--output",
            str(tmp_path / name),
            "--count",
            "1",
            *COARSE,
        ]
        assert main([*words, "--seed", "7"]) == 0
    first, second = (
        (tmp_path / name / "particles.star").read_text().split("data_particles")[1]
        for name in ("first", "second")
    )
    assert first == second
    one, other = (
        (tmp_path / name / "micrographs" / "simulated_0001.mrc").read_bytes()[1024:]
        for name in ("first", "second")
    )
    assert one == other


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--dose", "50", "30"], 2, "--dose should be the smallest and the largest value"),
        (["--detector", "film"], 2, "--detector should be"),
        (["--contour", "99"], 1, "choose a lower contour"),
        (["--pixel-size", "0.4"], 1, "make the micrograph or its pixels larger"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(ball, tmp_path, capsys, options, code, sentence):
    words = ["simulate", str(ball), "--output", str(tmp_path / "made"), "--count", "1", *FEW]
    assert main([*words, *options]) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err


def test_a_file_that_is_no_structure_is_told(tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "a.txt"), "--output", str(tmp_path / "made")]) == 1
    assert "is no structure" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
