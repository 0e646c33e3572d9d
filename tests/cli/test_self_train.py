from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from napari_cryopick import Picks
from napari_cryopick.cli.main import main
from napari_cryopick.io import PickSet, read_picks, write_picks
from napari_cryopick.model.registry import load_model

WEIGHTS = "model.safetensors"
FIRST, SECOND = "iteration_0_supervised", "iteration_1_selftrain"


@pytest.fixture(scope="module")
def clicks(project, tmp_path_factory) -> Path:
    """Eight particles of the first micrograph."""
    name, particles = next(iter(read_picks(project.particles).by_micrograph.items()))
    path = tmp_path_factory.mktemp("clicks") / "clicks.star"
    write_picks(path, PickSet({name: Picks.at(particles.positions[:8])}))
    return path


@pytest.fixture
def words(project, clicks, tmp_path) -> Callable[..., list[str]]:
    """What to type for a self-training of a few seconds."""

    def words(*options: str, rounds: int = 1, steps: int = 4, round_steps: int = 3) -> list[str]:
        said = ["self-train", project.micrographs, "--picks", clicks, "--diameter", 160]
        said += ["--output", tmp_path / "my run", "--steps", steps, "--rounds", rounds]
        said += ["--round-steps", round_steps, "--batch-size", 2, "--patch", 32]
        return [*map(str, said), *options]

    return words


def test_a_run_shows_how_it_goes_and_what_to_type_next(words, tmp_path, capsys):
    assert main(words()) == 0
    out, err = capsys.readouterr()
    assert re.search(r"Training \d+\.\d M parameters on CPU.* with 8 picks on 1 micrograph", err)
    assert re.search(r"Self-training 7/7, 0 s left, loss \d+\.\d+", err)
    assert re.search(r"Round 1 also trains on \d+ pseudo-labels? on \d micrographs?\. ", err)
    assert "no held-out labels can judge it" in err
    assert re.search(r"initial model .*best", out)
    assert re.search(r"round 1 .*not kept", out)
    assert "F1" not in out
    (command,) = re.findall(r"  napari-cryopick (predict .*)", err)
    said = shlex.split(command)
    assert said[said.index("--model") + 1] == str(tmp_path / "my run")
    said[said.index("picks.star")] = str(tmp_path / "picks.star")
    assert main(said) == 0
    assert (tmp_path / "picks.star").exists()
    assert (tmp_path / "my run/report.html").exists()


def test_json_holds_all_iterations_and_the_advice(words, tmp_path, capsys):
    assert main(words("--keep-every-round", "--json", "-")) == 0
    data = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in data["iterations"]] == [FIRST, SECOND]
    for one in data["iterations"]:
        assert one["f1"] is None
        assert one["expected_precision"] is None
        assert one.keys() >= {"average_precision", "threshold", "count"}
        assert one["accepted"] is True
        assert one["reason"].endswith(".")
    assert data["advice"].endswith(".")
    assert data["stopped"] is False
    assert Path(data["model"]) == tmp_path / "my run" / SECOND / WEIGHTS


def test_without_picks_a_run_begins_with_the_general_model_alone(words, tmp_path, capsys):
    said = words()
    del said[said.index("--picks") : said.index("--picks") + 2]
    assert main(said) == 0
    out, err = capsys.readouterr()
    assert "without picks" in err
    assert re.search(r"initial model .*best", out)
    assert load_model(tmp_path / "my run" / SECOND)


def test_more_rounds_can_be_added(words, tmp_path, capsys):
    assert main(words("--keep-every-round")) == 0
    weights = tmp_path / "my run" / SECOND / WEIGHTS
    before = weights.stat().st_mtime_ns
    capsys.readouterr()
    assert main(words("--keep-every-round", "--resume", rounds=2)) == 0
    assert re.search(r"round 2 .*best", capsys.readouterr().out)
    assert weights.stat().st_mtime_ns == before
    assert main(words("--keep-every-round", rounds=3)) == 1
    assert "already holds a run" in capsys.readouterr().err
    assert main(words("--keep-every-round", "--resume", steps=5)) == 1
    assert "was begun with steps = 4, not 5" in capsys.readouterr().err


def test_a_run_that_does_not_exist_begins(words, tmp_path):
    assert main(words("--resume", rounds=0)) == 0
    assert load_model(tmp_path / "my run")


def test_a_recipe_sets_what_is_not_given(words, tmp_path):
    """Its network and its epochs are far too much for here."""
    small = ("--architecture", "compact", "--loss", "bce", "--epochs", "0", "--round-epochs", "0")
    assert main(words("--recipe", "unet-selftrain-2025", *small)) == 0
    settings = yaml.safe_load((tmp_path / "my run/settings.yaml").read_text())
    assert settings["pseudo_labels"] == "pixels"
    assert settings["particle_threshold"] == 0.95
    assert settings["complete"] is True
    assert (settings["loss"], settings["epochs"]) == ("bce", 0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--relaxation", "-1"), "--relaxation should be greater"),
        (("--particle-threshold", "1.5"), "--particle-threshold should be less"),
        (("--recipe", "grandmother"), "There is no recipe grandmother"),
    ],
)
def test_options_without_sense_are_reported_before_any_work(
    wrong, sentence, words, tmp_path, capsys
):
    assert main(words(*wrong)) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "my run").exists()


@pytest.fixture
def typed() -> Iterator[Callable[[list[str]], subprocess.Popen[str]]]:
    """Start a command in a process of its own."""
    started = []

    def type_in(said: list[str]) -> subprocess.Popen[str]:
        command = [Path(sys.executable).with_name("napari-cryopick"), *said]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield type_in
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def wait_for(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stderr
    next(line for line in process.stderr if line.startswith(beginning))


@pytest.mark.parametrize(("beginning", "finished"), [("Training", 0), ("Round 1 also", 1)])
def test_a_killed_run_goes_on_with_resume(beginning, finished, words, typed, tmp_path):
    said = words(steps=30, round_steps=30)
    process = typed(said)
    wait_for(process, beginning)
    process.kill()
    process.wait()
    done = list((tmp_path / "my run").glob("iteration_*/metrics.json"))
    before = [path.stat().st_mtime_ns for path in done]
    assert len(done) == finished
    assert main([*said, "--resume"]) == 0
    assert [path.stat().st_mtime_ns for path in done] == before
    assert load_model(tmp_path / "my run" / SECOND)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_keeps_the_best_model_and_says_how_to_go_on(words, typed, tmp_path):
    process = typed(words(round_steps=100_000))
    wait_for(process, "Round 1 also")
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert process.returncode == 130
    assert "Stopping" in rest
    assert "resume it to go on" in rest
    assert load_model(tmp_path / "my run")
