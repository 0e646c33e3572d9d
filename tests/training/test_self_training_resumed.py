"""Self-training that is stopped or killed, at whatever moment, goes on as if it had not been."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest
import torch
from safetensors.torch import load_file

from napari_cryopick import CryopickError
from napari_cryopick.io import PickSet, match_picks, read_picks, write_picks
from napari_cryopick.model.registry import load_model
from napari_cryopick.picks import Picks
from napari_cryopick.training import fitting
from napari_cryopick.training.events import Finished, Iteration, Step, TrainingEvent

pytestmark = pytest.mark.usefixtures("exactly")

NAMES = ["iteration_0_supervised", "iteration_1_selftrain", "iteration_2_selftrain"]
START, ROUND = 3 * 4, 3 * 3
"""Steps of the model and both jurors."""


def of(kind: type, events: Iterable[TrainingEvent]) -> list:
    return [event for event in events if type(event) is kind]


def steps_of(events: Iterable[TrainingEvent]) -> list[int]:
    return [event.step for event in of(Step, events)]


def contents(*folders: Path) -> dict[Path, tuple[int, bytes]]:
    """When each file was last written, and what it holds; hidden ones are not finished."""
    return {
        file: (file.stat().st_mtime_ns, file.read_bytes())
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def figures(run: Path, name: str) -> dict[str, object]:
    metrics = json.loads((run / name / "metrics.json").read_text())
    return {key: value for key, value in metrics.items() if key != "seconds"}


def assert_same_run(run: Path, other: Path) -> None:
    """All weights are equal to the last bit, and so is all that was found out about them."""
    for name in NAMES:
        weights = sorted(path.name for path in (other / name).glob("*.safetensors"))
        assert sorted(path.name for path in (run / name).glob("*.safetensors")) == weights
        for file in weights:
            one, two = load_file(run / name / file), load_file(other / name / file)
            assert one.keys() == two.keys()
            assert all(torch.equal(one[tensor], two[tensor]) for tensor in one), (name, file)
        assert figures(run, name) == figures(other, name)
    assert (run / "best").resolve().name == (other / "best").resolve().name
    assert "could not be drawn" not in (run / "report.html").read_text()
    left = {str(path.relative_to(run)) for path in run.rglob("*")}
    assert left == {str(path.relative_to(other)) for path in other.rglob("*")}


def test_a_seed_repeats_a_run_exactly(self_trained, begin, tmp_path):
    torch.randn(7)  # what else the program has drawn does not matter
    list(begin(tmp_path / "again"))
    assert_same_run(tmp_path / "again", self_trained[-1].run)


# stopped


@pytest.fixture
def stopped_at(begin, tmp_path) -> Callable[[int], list[TrainingEvent]]:
    """The events of a run that was stopped at one of its steps."""

    def run(step: int) -> list[TrainingEvent]:
        stop, events = Event(), []
        for event in begin(tmp_path / "run", stop=stop):
            events.append(event)
            if isinstance(event, Step) and event.step == step:
                stop.set()
        return events

    return run


@pytest.mark.parametrize("step", [1, 3, 4, 6, START])
def test_a_stop_in_the_start_keeps_what_there_is_and_can_be_resumed(
    step, stopped_at, self_trained, begin, tmp_path
):
    """While the model itself trains, at its last step, and while the jurors do."""
    events, run = stopped_at(step), tmp_path / "run"
    assert steps_of(events) == list(range(1, step + 1))
    (start,) = of(Iteration, events)
    assert events[-1].stopped
    assert events[-1].model == start.path
    assert "resume" in events[-1].advice
    assert load_model(run).card.threshold == start.threshold
    resumed = list(begin(run, resume=True))
    assert steps_of(resumed) == list(range(step + 1, self_trained[0].steps + 1))
    assert_same_run(run, self_trained[-1].run)


@pytest.mark.parametrize("step", [START + 1, START + 5, START + ROUND + 1])
def test_a_stop_in_a_round_keeps_the_best_so_far_and_can_be_resumed(
    step, stopped_at, self_trained, begin, tmp_path
):
    events, run = stopped_at(step), tmp_path / "run"
    finished = NAMES[: len(of(Iteration, events))]
    assert steps_of(events)[-1] == step
    assert events[-1].stopped
    assert events[-1].model == run / finished[-1] / "model.safetensors"
    assert load_model(run).card.threshold == events[-1].metrics["threshold"]
    before = contents(*(run / name for name in finished))
    resumed = list(begin(run, resume=True))
    assert contents(*(run / name for name in finished)) == before
    assert steps_of(resumed) == list(range(step + 1, self_trained[0].steps + 1))
    assert_same_run(run, self_trained[-1].run)


def test_a_stop_before_the_first_step_still_leaves_a_model(begin, tmp_path):
    stop = Event()
    stop.set()
    *events, last = begin(tmp_path / "run", stop=stop)
    assert steps_of(events) == [1]
    assert last.stopped
    assert load_model(tmp_path / "run")


def test_a_stop_after_the_last_step_loses_no_round(begin, self_trained, tmp_path):
    stop = Event()
    for event in begin(tmp_path / "run", stop=stop):
        if isinstance(event, Iteration) and event.number == 2:
            stop.set()
    assert isinstance(event, Finished)
    assert_same_run(tmp_path / "run", self_trained[-1].run)


def test_a_run_that_was_dropped_can_be_resumed(begin, self_trained, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "SAVE_EVERY", 2)
    events = begin(tmp_path / "run")
    next(event for event in events if isinstance(event, Step) and event.step == 8)
    events.close()
    assert steps_of(begin(tmp_path / "run", resume=True))[0] == 7
    assert_same_run(tmp_path / "run", self_trained[-1].run)


# finished


def test_a_finished_run_goes_on_with_more_rounds(begin, self_trained, tmp_path):
    run = tmp_path / "run"
    *_, last = begin(run, rounds=1)
    assert last.model == run / NAMES[1] / "model.safetensors"
    before = contents(*(run / name for name in NAMES[:2]))
    more = list(begin(run, resume=True))
    assert contents(*(run / name for name in NAMES[:2])) == before
    assert [event.number for event in of(Iteration, more)] == [0, 1, 2]
    assert steps_of(more) == list(range(START + ROUND + 1, self_trained[0].steps + 1))
    assert_same_run(run, self_trained[-1].run)


def test_a_finished_run_has_nothing_left_to_do(begin, self_trained, tmp_path):
    run = Path(shutil.copytree(self_trained[-1].run, tmp_path / "run", symlinks=True))
    before = contents(*(run / name for name in NAMES))
    again = list(begin(run, resume=True))
    assert not steps_of(again)
    assert contents(*(run / name for name in NAMES)) == before
    assert again[-1].model == run / NAMES[2] / "model.safetensors"
    assert again[-1].metrics == self_trained[-1].metrics


# refused


def refused(events: Iterator[TrainingEvent]) -> str:
    with pytest.raises(CryopickError) as caught:
        next(events)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "changed", [{"seed": 7}, {"steps": 6}, {"diameter_angstrom": 150.0}, {"complete": True}]
)
def test_a_run_does_not_go_on_with_other_settings(changed, begin, self_trained, two_rounds):
    run = self_trained[-1].run
    before = contents(run)
    ((name, value),) = changed.items()
    message = refused(begin(run, resume=True, **changed))
    assert f"{run} was begun with {name} = {getattr(two_rounds, name)}, not {value}" in message
    assert contents(run) == before


def test_a_run_is_never_laid_over_another(begin, self_trained):
    run = self_trained[-1].run
    before = contents(run)
    assert f"{run} already holds a run" in refused(begin(run))
    assert contents(run) == before


def test_where_there_is_no_run_one_begins(begin, tmp_path):
    *_, last = begin(tmp_path / "run", resume=True, rounds=0)
    assert (last.run / "best" / "model.safetensors").exists()


def test_a_run_does_not_go_on_with_other_picks(small_project, begin, self_trained):
    run = self_trained[-1].run
    before = contents(run)
    message = refused(begin(run, small_project.clicks(7), resume=True))
    assert "was begun with other picks, labels or micrographs" in message
    assert contents(run) == before


@pytest.mark.parametrize("file", ["juror_2.safetensors", "model.safetensors"])
def test_a_run_does_not_go_on_without_the_weights_of_its_best(file, begin, self_trained, tmp_path):
    run = Path(shutil.copytree(self_trained[-1].run, tmp_path / "run", symlinks=True))
    missing = run / NAMES[2] / file
    missing.unlink()
    message = refused(begin(run, resume=True, rounds=3))
    assert message.startswith(f"{missing} is missing")
    assert "put it back, or begin a new run" in message


def test_weights_of_other_iterations_are_not_needed_unless_all_are_joined(
    begin, self_trained, tmp_path
):
    run = Path(shutil.copytree(self_trained[-1].run, tmp_path / "run", symlinks=True))
    (run / NAMES[1] / "juror_1.safetensors").unlink()
    assert isinstance(list(begin(run, resume=True))[-1], Finished)
    assert f"{NAMES[1]}/juror_1" in refused(begin(run, resume=True, ensemble=True))


# killed

TO_BE_KILLED = """
import os, signal, sys, time
from pathlib import Path

import torch

from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.training import fitting
from napari_cryopick.training.self_training import self_train
from napari_cryopick.training.settings import SelfTrainSettings

torch.set_num_threads(1)
fitting.SAVE_EVERY = 2
settings = SelfTrainSettings.model_validate_json(sys.argv[1])
clicks, *micrographs = map(Path, sys.argv[2:])
picks = match_picks(read_picks(clicks), micrographs)


def die_when(deed, end, times):
    def watch(done, arguments):
        nonlocal times
        if done == deed and any(str(each).endswith(end) for each in arguments[:2]):
            times -= 1
            if times == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


for line in sys.stdin:
    run, resume, deed, end, times = line.split()
    child = os.fork()
    if child == 0:
        if deed != "time":
            die_when(deed, end, int(times))
        try:
            list(self_train(micrographs, picks, settings, Path(run), resume=resume == "True"))
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    if deed == "time":
        time.sleep(float(times))
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs one self-training after the other, each in a process of its own that is killed by SIGKILL:
just before it does something to a certain file for the n-th time, or after some seconds."""

Kill = Callable[..., int]


@pytest.fixture(scope="module")
def clicks(small_project, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clicks") / "clicks.star"
    write_picks(path, PickSet({str(p): t for p, t in small_project.clicks().items()}))
    return path


@pytest.fixture(scope="module")
def kill(small_project, two_rounds, clicks) -> Iterator[Kill]:
    """Run self-training until it is killed, and return its exit code."""
    words = [two_rounds.model_dump_json(), clicks, *small_project.micrographs]
    command = [sys.executable, "-c", TO_BE_KILLED, *map(str, words)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout

        def until(run: Path, deed: str, end: str, times: float = 1, resume: bool = False) -> int:
            print(run, resume, deed, end, times, file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield until
        process.stdin.close()


@pytest.fixture(scope="module")
def picks(small_project, clicks) -> dict[Path, Picks]:
    """What the killed process reads, rounded as in the file."""
    return dict(match_picks(read_picks(clicks), small_project.micrographs))


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize(
    ("deed", "end", "times", "finished"),
    [
        ("os.rename", "supervised/.part_model.safetensors", 1, 0),
        ("os.rename", "supervised/.part_juror_2.safetensors", 2, 0),
        ("os.rename", "supervised/model.safetensors", 1, 0),
        ("open", ".star", 1, 0),
        ("os.rename", "supervised/metrics.json", 1, 0),
        ("os.remove", "supervised/.part_juror_1.safetensors", 1, 1),
        ("os.rename", "run/best", 1, 1),
        ("os.rename", "iteration_1_selftrain/.part_juror_1.safetensors", 2, 1),
        ("os.rename", "iteration_1_selftrain/metrics.json", 1, 1),
        ("os.rename", "iteration_2_selftrain/picks.star", 1, 2),
        ("os.rename", "run/report.html", 1, 3),
    ],
)
def test_a_killed_run_goes_on_where_it_was(
    deed, end, times, finished, kill, picks, begin, self_trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(fitting, "SAVE_EVERY", 2)
    run = tmp_path / "run"
    assert kill(run, deed, end, times) == -signal.SIGKILL
    assert [name for name in NAMES if (run / name / "metrics.json").exists()] == NAMES[:finished]
    told = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    taken = {line["step"] for line in told if line["event"] == "Step"}
    before = contents(*(run / name for name in NAMES[:finished]))
    resumed = list(begin(run, picks, resume=True))
    assert contents(*(run / name for name in NAMES[:finished])) == before
    steps = steps_of(resumed)
    assert taken | set(steps) == set(range(1, self_trained[0].steps + 1))
    assert len(taken & set(steps)) <= fitting.SAVE_EVERY
    assert [event.number for event in of(Iteration, resumed)] == [0, 1, 2]
    assert_same_run(run, self_trained[-1].run)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(kill, self_trained, tmp_path):
    run, seconds, kills = tmp_path / "run", 0.4, 0
    while kill(run, "time", "-", seconds, resume=True):
        kills += 1
        seconds += 0.2
    assert kills > 2
    assert_same_run(run, self_trained[-1].run)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_of_a_run_killed_before_it_wrote_anything_nothing_is_in_the_way(
    kill, picks, begin, self_trained, tmp_path
):
    run = tmp_path / "run"
    assert kill(run, "os.rename", "run/settings.yaml") == -signal.SIGKILL
    list(begin(run, picks, resume=True))
    assert (run / NAMES[2] / "metrics.json").exists()
