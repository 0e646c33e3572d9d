from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mrcfile
import pytest

from napari_cryopick import Status
from napari_cryopick.cli.main import main
from napari_cryopick.cli.terminal import LONGEST_TABLE, micrograph_table, results
from napari_cryopick.io import find_micrographs, match_picks, read_picks


def test_picks_of_every_micrograph_land_in_a_star_and_in_a_table(project, tmp_path, capsys):
    star = tmp_path / "new" / "picks.star"
    assert main(project.prediction(star, "--threshold", "0")) == 0
    out, err = capsys.readouterr()
    written = read_picks(star)
    assert written.pixel_size_angstrom == 4
    assert written.diameter_angstrom == 160
    assert len(written) > 0
    assert {Path(name).name for name in written.by_micrograph} <= {
        f"simulated_000{n}.mrc" for n in (1, 2, 3)
    }
    for n in (1, 2, 3):
        assert f"simulated_000{n}.mrc" in out
    total = next(line for line in out.splitlines() if "3 micrographs" in line)
    assert int(total.split()[2]) == len(written)
    assert f"The picks are in {star}." in err


def test_a_csv_also_holds_the_flagged_picks_that_a_star_leaves_out(project, tmp_path, capsys):
    options = ("--threshold", "0", "--json", "-")
    assert main(project.prediction(tmp_path / "picks.csv", *options)) == 0
    figures = json.loads(capsys.readouterr().out)["micrographs"]
    picks = read_picks(tmp_path / "picks.csv").by_micrograph.values()
    flagged = sum(int((one.statuses != Status.OK).sum()) for one in picks)
    assert flagged == sum(one["flagged"] for one in figures) > 0
    assert sum(map(len, picks)) - flagged == sum(one["picks"] for one in figures)


def test_a_broken_micrograph_is_told_and_the_others_are_picked(project, tmp_path, capsys):
    for path in project.micrographs.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "simulated_0002.mrc").write_bytes(b"not an image")
    star = tmp_path / "picks.star"
    words = project.prediction(star, "--threshold", "0", "--json", "-")
    words[1] = str(tmp_path)
    assert main(words) == 3
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert [Path(one["path"]).name for one in data["micrographs"]] == [
        "simulated_0001.mrc",
        "simulated_0003.mrc",
    ]
    (failed,) = data["failed"]
    assert "simulated_0002.mrc" in failed["message"]
    assert failed["message"] in err
    assert "1 micrograph could not be used:" in err
    assert len(read_picks(star)) > 0


def test_whatever_is_wrong_with_micrographs_is_listed_at_the_end(project, tmp_path, capsys):
    good = [shutil.copy(path, tmp_path) for path in sorted(project.micrographs.iterdir())]
    content = Path(good[0]).read_bytes()
    bad = {
        "cut.mrc": content[:-9],
        "cut.mrc.gz": gzip.compress(content)[:-4],
        "wrong.mrc.gz": gzip.compress(content)[:-8] + bytes(8),
        "half.tif": b"II*\0" + bytes(500),
        "half.png": b"\x89PNG\r\n\x1a\n" + bytes(500),
        "half.jpg": b"\xff\xd8\xff\xe0" + bytes(500),
        "empty.mrc": b"",
    }
    for name, some in bad.items():
        (tmp_path / name).write_bytes(some)
    (tmp_path / "gone.mrc").symlink_to("nowhere")
    words = project.prediction(tmp_path / "picks.star", "--threshold", "0", "--json", "-")
    words[1] = str(tmp_path)
    words[words.index("--diameter") + 1] = "0"
    assert main(words) == 3
    out, err = capsys.readouterr()
    assert [one["path"] for one in json.loads(out)["micrographs"]] == sorted(map(str, good))
    block = err[err.index("8 micrographs could not be used:") :].splitlines()[1:]
    assert {Path(line.split()[0]).name for line in block} == {*bad, "gone.mrc"}
    assert all(line.endswith(".") for line in block)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems name files in Unicode")
def test_a_name_that_the_locale_lacks_is_written_as_utf_8(project, tmp_path):
    (tmp_path / "grün").mkdir()
    (path, *_) = sorted(project.micrographs.iterdir())
    shutil.copy(path, tmp_path / "grün" / "β.mrc")
    words = project.prediction(tmp_path / "picks.star", "--threshold", "0")
    words[1] = str(tmp_path / "grün")
    done = subprocess.run(
        [Path(sys.executable).with_name("napari-cryopick"), *words],
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert b"Traceback" not in done.stderr
    (name,) = read_picks(tmp_path / "picks.star").by_micrograph
    assert name == str(tmp_path / "grün" / "β.mrc")


def test_a_list_of_micrographs_may_name_missing_ones(project, tmp_path, capsys):
    names = [path.name for path in sorted(project.micrographs.iterdir())]
    for name in names[1:]:
        shutil.copy(project.micrographs / name, tmp_path)
    listed = tmp_path / "micrographs.star"
    listed.write_text("\n".join(["data_", "", "loop_", "_rlnMicrographName #1", *names, ""]))
    words = project.prediction(tmp_path / "picks.csv", "--threshold", "0")
    words[1] = str(listed)
    assert main(words) == 3
    assert f"{tmp_path / names[0]} does not exist" in capsys.readouterr().err
    assert len(read_picks(tmp_path / "picks.csv").by_micrograph) == len(names) - 1


def test_namesakes_in_two_folders_and_formats_keep_their_own_picks(project, tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        for number, path in enumerate(sorted(project.micrographs.iterdir())[:2]):
            shutil.copy(path, tmp_path / folder / ("a.mrc", "a.st")[number])
    (tmp_path / "picks").mkdir()
    for name in ("picks.star", "picks.csv", "picks"):
        words = project.prediction(tmp_path / name, "--threshold", "0")
        words[1:2] = [str(tmp_path / "first"), str(tmp_path / "second")]
        assert main(words) == 0
    paths = find_micrographs([tmp_path / "first", tmp_path / "second"])
    for name in ("picks.star", "picks.csv", "picks/coordinates.star"):
        found = match_picks(read_picks(tmp_path / name), paths)
        assert list(found) == paths
        assert len(found[paths[0]]) == len(found[paths[2]]) > 0


def test_nothing_is_written_where_nothing_could_be_picked(project, tmp_path, capsys):
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(b"not an image")
    words = project.prediction(tmp_path / "picks.star")
    words[1] = str(broken)
    assert main(words) == 1
    assert "broken.mrc" in capsys.readouterr().err
    assert not (tmp_path / "picks.star").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("picks.xyz", "not of a known coordinate format"), ("file/picks.star", "is not a folder")],
)
def test_an_output_that_cannot_be_is_told_before_any_work(
    project, tmp_path, capsys, name, sentence
):
    (tmp_path / "file").touch()
    assert main(project.prediction(tmp_path / name)) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert "Picking" not in err


def test_many_micrographs_make_one_row(capsys):
    row = {"path": "a.mrc", "picks": 40, "seconds": 0.5}
    results.print(micrograph_table([row] * (LONGEST_TABLE + 1)))
    out = capsys.readouterr().out
    assert "a.mrc" not in out
    assert out.split()[-4:] == ["31", "micrographs", "1,240", "15.5"]


def test_margins_without_image_are_told_and_hold_no_picks(project, tmp_path, capsys):
    for path in project.micrographs.glob("*.mrc"):
        shutil.copy(path, tmp_path)
    first, *_ = sorted(tmp_path.glob("*.mrc"))
    with mrcfile.open(first, "r+") as mrc:
        mrc.data[:50] = mrc.data[50]
        mrc.data[:, -60:] = 0
    words = project.prediction(tmp_path / "picks.csv", "--threshold", "0", "--json", "-")
    words[1] = str(tmp_path)
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "1 of 3 micrographs have margins without image (" in err
    top, bottom, left, right = json.loads(out)["micrographs"][0]["margins_px"]
    assert (top, right) == (pytest.approx(50, abs=1), pytest.approx(60, abs=1))
    assert bottom == left == 0
    assert [one["margins_px"] for one in json.loads(out)["micrographs"][1:]] == [None, None]
    y, x = read_picks(tmp_path / "picks.csv").by_micrograph[str(first)].positions.T
    assert y.min() > 49
    assert x.max() < 320 - 60


def test_class_averages_refine_scores(project, tmp_path, capsys):
    """The same candidates, with other scores: what is in good classes gains."""
    plain, refined = tmp_path / "plain.csv", tmp_path / "refined.csv"
    assert main(project.prediction(plain, "--threshold", "0.1")) == 0
    words = project.prediction(refined, "--threshold", "0.1", "--refine", "--json", "-")
    capsys.readouterr()
    assert main(words) == 0
    out, err = capsys.readouterr()
    before, after = (read_picks(file).by_micrograph for file in (plain, refined))
    said = "scores stay as they are" in err
    changed = any(
        sorted(before[name].scores) != pytest.approx(sorted(after[name].scores)) for name in after
    )
    assert changed != said
    counts = {Path(one["path"]).name: one["picks"] for one in json.loads(out)["micrographs"]}
    for name, table in after.items():
        assert len(table.with_status(Status.OK)) == counts[Path(name).name]
        assert (table.scores >= 0.1).all()
