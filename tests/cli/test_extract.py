from __future__ import annotations

import json
import shutil

import mrcfile
import numpy as np
import pytest
import starfile

from napari_cryopick.cli.main import main
from napari_cryopick.io import read_picks


@pytest.fixture
def words(simulated, tmp_path) -> list[str]:
    """What to type to extract every particle of three micrographs."""
    micrographs, picks = str(simulated / "micrographs"), str(simulated / "particles.star")
    output = str(tmp_path / "new" / "particles.mrcs")
    return ["extract", micrographs, "--picks", picks, "--box", "48", "--output", output]


def test_picks_become_a_stack_with_its_star(words, tmp_path, capsys):
    assert main([*words, "--bin", "2"]) == 0
    out, err = capsys.readouterr()
    stack, star = tmp_path / "new/particles.mrcs", tmp_path / "new/particles.star"
    assert mrcfile.validate(stack)
    read = starfile.read(star)
    count = len(read["particles"])
    assert mrcfile.read(stack).shape == (count, 24, 24)
    assert read["optics"]["rlnImagePixelSize"].tolist() == [8]
    assert len(read_picks(star)) == count > 10
    total = next(line for line in out.splitlines() if "3 micrographs" in line).split()
    assert int(total[2]) == count
    assert f"holds {count} particles of 24 px at 8 Å; their STAR is {star}." in err
    assert "classify without CTF correction" in err


def test_a_broken_micrograph_is_told_and_the_others_are_extracted(words, tmp_path, capsys):
    shutil.copytree(words[1], tmp_path / "micrographs")
    (tmp_path / "micrographs" / "simulated_0002.mrc").write_bytes(b"not an image")
    words[1] = str(tmp_path / "micrographs")
    assert main([*words, "--json", "-"]) == 3
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert len(data["micrographs"]) == 2
    assert "1 micrograph could not be used:" in err
    assert data["failed"][0]["message"] in err
    assert sum(row["particles"] for row in data["micrographs"]) == data["particles"]
    assert mrcfile.read(data["output"]).shape == (data["particles"], data["size_px"], 48)


def test_where_no_micrograph_can_be_used_all_are_told(words, tmp_path, capsys):
    shutil.copytree(words[1], tmp_path / "micrographs")
    for path in (tmp_path / "micrographs").iterdir():
        path.write_bytes(b"not an image")
    words[1] = str(tmp_path / "micrographs")
    assert main(words) == 1
    err = capsys.readouterr().err
    assert "3 micrographs could not be used:" in err
    assert "There are no particles for" in err
    assert not (tmp_path / "new" / "particles.mrcs").exists()


@pytest.mark.parametrize(
    ("options", "exit_code", "problem"),
    [
        (["--box", "33"], 2, "A box of 33 px at bin 1 gives no image of an even edge; take 32 px."),
        (["--box", "8"], 2, "--box should be greater than or equal to 16"),
        (["--output", "particles.star"], 1, "particles.star is not named as a stack is"),
        (["--picks", "none.star"], 1, "none.star does not exist"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(options, exit_code, problem, words, capsys):
    for option, value in zip(options[::2], options[1::2], strict=True):
        words[words.index(option) + 1] = value
    assert main(words) == exit_code
    err = capsys.readouterr().err
    assert problem in err
    assert err.count("\n") == 1


def test_particles_of_real_micrographs_average_to_the_protein(shared_data, tmp_path):
    """Apoferritin is a hollow sphere of 126 Å."""
    folder = shared_data / "apoferritin"
    words = ["extract", folder / "micrographs", "--picks", folder / "particles.star"]
    stack = tmp_path / "particles.mrcs"
    words += ["--box", 128, "--bin", 2, "--output", stack]
    assert main([str(word) for word in words]) == 0
    images, rows = mrcfile.read(stack), starfile.read(tmp_path / "particles.star")["particles"]
    assert len(images) == len(rows) > 1300
    assert not rows["rlnImageName"].duplicated().any()
    y, x = np.indices((64, 64)) - 32
    radius = np.hypot(y, x)
    background = images[:, radius > 24]
    np.testing.assert_allclose(background.mean(axis=1), 0, atol=1e-3)
    np.testing.assert_allclose(background.std(axis=1), 1, atol=1e-3)
    average = images.mean(axis=0)
    shells = [average[(radius >= r) & (radius < r + 3)].mean() for r in range(0, 24, 3)]
    assert 12 <= 3 * int(np.argmax(shells)) <= 15
    assert max(shells) > 0.4 > 0.1 > shells[0]
