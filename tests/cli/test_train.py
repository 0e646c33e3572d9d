from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import Picks
from napari_cryopick.cli.main import main
from napari_cryopick.io import PickSet, read_picks, write_picks
from napari_cryopick.picks import join_picks


def test_a_training_shows_how_it_goes_and_what_to_type_next(project, tmp_path, capsys):
    run = tmp_path / "my run"
    assert main(project.training(run, "--seed", "3")) == 0
    out, err = capsys.readouterr()
    assert re.search(r"Training \d+\.\d M parameters on CPU.* with \d+ picks on 3 micrographs", err)
    assert re.search(r"Training 6/6, 0 s left, loss \d+\.\d+", err)
    assert "expected" not in out
    assert re.search(r"about \d+ particles per micrograph are expected .* threshold follows", err)
    assert "F1" not in out + err
    (command,) = re.findall(r"  napari-cryopick (predict .*)", err)
    words = shlex.split(command)
    assert words[words.index("--model") + 1] == str(run)
    words[words.index("picks.star")] = str(tmp_path / "picks.star")
    assert main(words) == 0
    assert (tmp_path / "picks.star").exists()


def test_unusable_micrographs_cost_a_training_nothing(project, tmp_path, capsys):
    (tmp_path / "cut.mrc.gz").write_bytes(b"\x1f\x8b" + bytes(99))
    words = project.training(tmp_path / "run", steps=1)
    words.insert(2, str(tmp_path / "cut.mrc.gz"))
    assert main(words) == 0
    err = capsys.readouterr().err
    assert "1 unlabelled micrograph could not be used:" in err
    assert err.count("cut.mrc.gz cannot be read as a micrograph") == 1


def test_complete_labels_give_measured_figures(project, tmp_path, capsys):
    assert main(project.training(tmp_path / "run", "--complete", steps=2)) == 0
    out, err = capsys.readouterr()
    assert re.search(r"and \d+ more held out", err)
    assert re.search(r"Step \d+: F1 \d\.\d+, average precision \d\.\d+ on held-out particles", err)
    assert re.search(r"F1 .*\n.*\n +initial model .*best", out)
    assert "expected" not in out


def test_json_holds_the_figures_and_where_the_model_is(project, tmp_path, capsys):
    words = project.training(tmp_path / "run", "--complete", "--json", "-", steps=2)
    assert main(words) == 0
    data = json.loads(capsys.readouterr().out)
    assert Path(data["model"]).is_file()
    assert data["run"] == str(tmp_path / "run")
    assert data["stopped"] is False
    assert 0 <= data["metrics"]["f1"] <= 1


def test_picks_and_a_structure_are_not_mixed(project, tmp_path, capsys):
    words = project.training(tmp_path / "run", "--structure", str(tmp_path / "particle.pdb"))
    for command in ("train", "self-train"):
        assert main([command, *words[1:]]) == 1
        assert "picks or on a structure, not both" in capsys.readouterr().err


def test_picks_of_other_micrographs_are_told_before_any_work(project, tmp_path, capsys):
    star = tmp_path / "others.star"
    write_picks(star, PickSet({"elsewhere.mrc": Picks.at([(100, 100)])}))
    words = project.training(tmp_path / "run")
    words[words.index("--picks") + 1] = str(star)
    assert main(words) == 1
    assert "elsewhere.mrc" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_mistake_leaves_the_run_folder_free_for_the_next_try(project, tmp_path, capsys):
    words = project.training(tmp_path / "run")
    words[words.index("--diameter") + 1] = "100000"
    assert main(words) == 1
    assert "check diameter and pixel size" in capsys.readouterr().err
    assert main(project.training(tmp_path / "run")) == 0


def test_a_run_is_never_laid_over_another(project, capsys):
    assert main(project.training(project.run)) == 1
    assert "already holds a run" in capsys.readouterr().err


def test_a_run_that_cannot_be_written_is_told_before_any_work(project, tmp_path, capsys):
    (tmp_path / "run").touch()
    assert main(project.training(tmp_path / "run")) == 1
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_keeps_the_best_model_and_says_so(project, tmp_path):
    command = Path(sys.executable).with_name("napari-cryopick")
    words = project.training(tmp_path / "run", steps=100_000)
    with subprocess.Popen([command, *words], stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr
        next(line for line in training.stderr if line.startswith("Training"))
        training.send_signal(signal.SIGINT)
        rest = training.stderr.read()
    assert training.returncode == 130
    assert "Stopping" in rest
    assert (tmp_path / "run" / "best" / "model.safetensors").is_file()


def test_endings_are_told_and_picks_elsewhere_are_said(project, tmp_path, capsys):
    words = project.training(tmp_path / "run", steps=1)
    at = words.index("--picks") + 1
    picks = read_picks(words[at]).by_micrograph
    named = {f"{Path(name).stem}_flat.mrc": one for name, one in picks.items()}
    words[at] = str(tmp_path / "picks.star")
    write_picks(words[at], PickSet(named | {"z.mrc": Picks.at([[1, 2]])}))
    assert main(words) == 1
    assert "belong to other micrographs" in capsys.readouterr().err
    assert main([*words, "--ending", "_flat"]) == 0
    assert re.search(r"1 of \d+ picks are left out, .*: z\.mrc", capsys.readouterr().err)


@pytest.fixture
def classes(project, tmp_path) -> Path:
    """A folder of classes: the particles are class 1, empty places class 2."""
    picks = read_picks(project.particles).by_micrograph
    empty = Picks.at([[8, 8], [8, 160], [8, 300]])
    tables = {
        name: join_picks([numbered(particles, 1), numbered(empty, 2)])
        for name, particles in picks.items()
    }
    write_picks(tmp_path / "classes" / "particles.star", PickSet(tables))
    return tmp_path / "classes"


def numbered(picks: Picks, number: int) -> Picks:
    extra = {"rlnClassNumber": np.full(len(picks), number)}
    return Picks.at(picks.positions, extra=extra)


def without_picks(words: list[str]) -> list[str]:
    at = words.index("--picks")
    return words[:at] + words[at + 2 :]


@pytest.mark.parametrize("command", ["train", "self-train"])
def test_marked_classes_are_labels(command, project, classes, tmp_path, capsys):
    words = without_picks(project.training(tmp_path / "run", steps=2))
    words = [command, *words[1:], "--classes", str(classes), "--particle", "1", "--junk", "2"]
    if command == "self-train":
        words += ["--rounds", "1", "--round-steps", "2"]
    assert main(words) == 0
    err = capsys.readouterr().err
    count = len(read_picks(classes / "particles.star"))
    assert re.search(rf"with {count} picks on 3 micrographs", err)
    assert re.search(r"From the classes, about \d+ particles per micrograph are expected", err)


def test_classes_of_one_kind_are_enough(project, classes, tmp_path, capsys):
    words = [*without_picks(project.training(tmp_path / "run", steps=1)), "--classes", str(classes)]
    for kind, number in (("--particle", 1), ("--junk", 2)):
        words[words.index("--output") + 1] = str(tmp_path / kind)
        assert main([*words, kind, str(number)]) == 0
        assert "are expected" not in capsys.readouterr().err
    assert main([*words, "--junk", "2", "--initial-model", "scratch"]) == 1
    assert "There are no picks to train on" in capsys.readouterr().err
    assert main([*words, "--particle", "1", "--complete"]) == 1
    assert "Marked classes are not complete labels" in capsys.readouterr().err


def test_marks_that_say_nothing_are_refused_in_a_sentence(project, classes, tmp_path, capsys):
    words = without_picks(project.training(tmp_path / "run"))
    here = ["--classes", str(classes)]
    for options, message in (
        ([], "give --picks, --classes or a --structure"),
        (here, "No class is marked; give the numbers of classes with --particle or --junk."),
        (["--junk", "2"], "give their folder as --classes"),
        ([*here, "--junk", "2", "7", "9"], "classes 7, 9 are marked but not there; they are 1, 2."),
        ([*here, "--junk", "2", "--particle", "2"], "class 2 is marked as particle and as junk"),
    ):
        assert main([*words, *options]) == 1
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
    assert not (tmp_path / "run" / "settings.yaml").exists()
