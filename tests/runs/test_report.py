from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from napari_cryopick.errors import CryopickError
from napari_cryopick.io import PickSet, read_picks, write_picks
from napari_cryopick.metrics.matching import changes
from napari_cryopick.picks import Picks
from napari_cryopick.runs.report import write_report
from napari_cryopick.simulation.simulate import simulate_example

ROLLED_BACK = "Rolled back: F1 fell & <b>ice</b> was picked."


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("fields")
    how = {"shape": (192, 256), "pixel_size_angstrom": 4, "ice_balls": 0}
    return simulate_example(folder, count=2, particles=8, **how)[0]


class Run:
    """A run folder, written piece by piece."""

    def __init__(self, path: Path, micrographs: list[Path]) -> None:
        self.path, self.micrographs = path, micrographs
        path.mkdir()
        settings = {"diameter_angstrom": 160.0, "pixel_size_angstrom": None, "rounds": 2}
        (path / "settings.yaml").write_text(yaml.safe_dump(settings))
        self.log(
            {"event": "Started", "training_picks": 10, "labelled_micrographs": 1, "device": ""}
        )

    def log(self, *events: dict) -> None:
        with (self.path / "events.jsonl").open("a") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)

    def add(
        self, number: int, accepted: bool, f1: float, picks: int, kind: str = "", **figures
    ) -> Path:
        """One more iteration with so many picks on each micrograph; the best if accepted."""
        name = f"iteration_{number}_{kind or ('selftrain' if number else 'supervised')}"
        folder = self.path / name
        folder.mkdir()
        metrics = {"number": number, "accepted": accepted, "f1": f1, "complete": True}
        metrics |= {"count": picks * len(self.micrographs)}
        (folder / "metrics.json").write_text(json.dumps(metrics | figures))
        positions = np.linspace((40, 40), (150, 200), 7)[:picks]
        table = Picks.at(positions, np.linspace(0.5, 0.9, picks), "model")
        by_name = {str(path): table for path in self.micrographs}
        write_picks(folder / "picks.star", PickSet(by_name, 4.0))
        steps = [
            {"event": "Step", "step": 10 * number + i, "losses": {"total": 1 / i}}
            for i in range(1, 11)
            if kind != "ensemble"
        ]
        self.log(*steps, {"event": "Iteration", "number": number})
        if accepted:
            (self.path / "best").unlink(missing_ok=True)
            (self.path / "best").symlink_to(name)
        return folder

    def report(self) -> str:
        return write_report(self.path).read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path, micrographs) -> Run:
    return Run(tmp_path / "run", micrographs)


@pytest.fixture
def self_training(run) -> Run:
    """A start, a round that is better and one that is not."""
    taught = {"particles": 1234, "micrographs": 2, "particle_threshold": 0.71, "reason": "A gap."}
    run.add(0, True, 0.61, 4)
    run.add(1, True, 0.72, 6, precision=0.7654, pixels={"iou": 0.4321}, pseudo_labels=taught)
    run.add(2, False, 0.65, 7, reason=ROLLED_BACK)
    return run


def text_of(page: str) -> str:
    """What a reader sees, without tags and with single spaces."""
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def images(page: str) -> list[str]:
    return re.findall(r'<img alt="[^"]*" src="data:image/jpeg;base64,', page)


def test_a_report_begins_with_what_to_do(self_training):
    text = text_of(self_training.report())
    assert "Use iteration 2" not in text
    assert (
        "Use iteration 1, 0.11 F1 above the supervised start; the round after it gained nothing "
        "and was rolled back, so stop here." in text
    )


def test_what_the_run_itself_advised_goes_before_what_figures_tell(self_training):
    self_training.log({"event": "Finished", "advice": "Check the diameter.", "stopped": False})
    text = text_of(self_training.report())
    assert "Use iteration 1, 0.11 F1 above the supervised start. Check the diameter." in text


def test_every_iteration_has_its_row(self_training):
    text = text_of(self_training.report())
    assert "supervised start 0.610 – – – – 8 accepted" in text
    assert "iteration 1 0.720 0.765 – – – 12 in use" in text
    assert "iteration 2 0.650 – – – – 14 rolled back" in text
    assert "iteration 1 – – – 0.432 – –" in text
    assert "iteration 1 0.710 – 1 234 2 A gap." in text.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_an_ensemble_is_called_so(self_training):
    self_training.add(3, True, 0.75, 7, kind="ensemble")
    page = self_training.report()
    text = text_of(page)
    assert "Use the ensemble, 0.14 F1 above the supervised start; the last round gained" in text
    assert "ensemble 0.750 – – – – 14 in use" in text
    assert "The picks of the supervised start against those of the ensemble" in text
    assert ">ensemble</text>" in page
    assert "iteration 3" not in text
    assert "round 3" not in page


def test_words_from_the_run_cannot_become_markup(self_training):
    page = self_training.report()
    assert "Rolled back: F1 fell &amp; &lt;b&gt;ice&lt;/b&gt; was picked." in page
    assert "<b>ice</b>" not in page


@pytest.mark.parametrize(
    ("complete", "words"),
    [(True, "Figures are measured on"), (False, "Figures are estimated from clicks")],
)
def test_it_says_whether_figures_are_measured_or_estimated(run, complete, words):
    run.add(0, True, 0.61, 4, complete=complete)
    assert words in run.report()


def test_it_stands_alone(self_training):
    page = self_training.report()
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:|#)', page.replace("xlink:href", "href")) == []
    assert re.findall(r"url\((?!#)", page) == []


def test_the_curves_take_their_colours_from_the_page(self_training):
    page = self_training.report()
    assert page.count("<svg ") == 3
    assert "stroke: var(--blue)" in page
    assert ">round 2</text>" in page


def test_pictures_show_what_self_training_changed(self_training):
    page = self_training.report()
    assert len(images(page)) == 2
    assert page.count(": 4 kept, 2 gained, 0 lost") == 2


def test_where_nothing_was_gained_the_picks_of_the_start_are_shown(run):
    run.add(0, True, 0.61, 4)
    run.add(1, False, 0.55, 6)
    page = run.report()
    assert "Self-training gained nothing; use the supervised start" in page
    assert page.count(": 4 picks") == 2
    assert "gained," not in text_of(page).partition("Curves")[2]


def test_the_micrograph_that_changed_most_comes_first():
    table = Picks.at([(50, 50), (50, 150), (150, 50)])
    rows = np.arange(3)
    found = changes({"a": table, "b": table}, {"a": table, "b": table[rows[:1]], "c": table}, 40)
    assert [one.micrograph for one in found] == ["c", "b", "a"]
    assert [one.words for one in found] == [
        "0 kept, 3 gained, 0 lost",
        "1 kept, 0 gained, 2 lost",
        "3 picks",
    ]


def test_missing_micrographs_are_told_and_cost_only_their_pictures(run, micrographs, tmp_path):
    run.micrographs = [micrographs[0], tmp_path / "gone.mrc"]
    run.add(0, True, 0.61, 4)
    page = run.report()
    assert len(images(page)) == 1
    assert "1 of 2 micrographs are no longer where the run found them" in page
    run.micrographs = [tmp_path / "gone.mrc"]
    run.add(1, True, 0.71, 4)
    write_picks(run.path / "iteration_0_supervised" / "picks.star", _picks_on("gone.mrc"))
    page = run.report()
    assert images(page) == []
    assert "Pictures are left out: no micrograph is where the run found it" in page
    assert "0.610" in page


def _picks_on(*names: str) -> PickSet:
    return PickSet({name: Picks.at([(50, 50)], 0.9) for name in names}, 4.0)


def test_a_figure_that_fails_costs_itself_alone(self_training, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(b"no micrograph" * 200)
    self_training.micrographs = [broken, self_training.micrographs[0]]
    self_training.add(3, True, 0.75, 6)
    page = self_training.report()
    assert len(images(page)) == 2
    assert f"The picture of broken.mrc could not be drawn: {broken} is not an MRC file" in page
    assert page.count("could not be drawn") == 1
    assert page.count("<svg ") == 3


def test_broken_picks_cost_what_is_drawn_of_them(self_training):
    (self_training.path / "iteration_1_selftrain" / "picks.star").write_text("nothing")
    text = text_of(self_training.report())
    assert "The scores of the picks could not be drawn: " in text
    assert "The pictures of the picks could not be drawn: " in text
    assert "iteration 1 0.720 0.765" in text


@pytest.mark.parametrize("content", ["{", "[1]", "null", "\x00"])
def test_a_broken_metrics_file_is_a_note(self_training, content):
    (self_training.path / "iteration_1_selftrain" / "metrics.json").write_text(content)
    text = text_of(self_training.report())
    assert "The figures of iteration_1_selftrain are left out: its metrics.json is broken." in text
    assert "Use iteration 1;" in text
    assert "iteration 1 – – – – – – in use" in text


def test_values_that_are_no_figures_are_dashes(run):
    run.add(0, True, 0.6, 2, precision="high", recall=None, pixels=[1], pseudo_labels="none")
    assert "supervised start 0.600 – – – – 4 in use" in text_of(run.report())


def test_a_run_that_has_only_begun_or_was_cut_off_is_reported(run):
    run.log({"event": "Step", "step": 1, "losses": {"total": 0.5}})
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"event": "St')
    (run.path / "iteration_0_supervised").mkdir()
    text = text_of(run.report())
    assert "No model has been accepted yet" in text
    assert "The run has not come to its end." in text
    assert "iteration_0_supervised was not finished" in text
    assert "Broken lines of events.jsonl are left out: 1 of 3." in text


def test_a_resumed_run_keeps_the_place_of_what_it_takes_up(run):
    run.add(0, True, 0.6, 2)
    run.log({"event": "Step", "step": 15, "losses": {"total": 0.5}}, {"event": "Started"})
    run.log({"event": "Iteration", "number": 0})
    run.add(1, True, 0.7, 2)
    page = run.report()
    places = [float(x) for x in re.findall(r"M ([\d.]+) [\d.]+ \nL \1 [\d.]+ \n", page)]
    assert places
    assert text_of(page).count("supervised start") > 1
    assert "unfinished" not in page


def test_a_folder_without_a_run_is_told_in_a_sentence(tmp_path):
    with pytest.raises(CryopickError, match="holds no run"):
        write_report(tmp_path)
    with pytest.raises(CryopickError, match="does not exist"):
        write_report(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_is_left(self_training, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(CryopickError, match="choose another name"):
        write_report(self_training.path, tmp_path / "taken")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "taken"}


def test_a_run_that_may_not_be_read_is_told(run, unprivileged):
    with pytest.raises(CryopickError, match="cannot be opened; check its permissions"):
        write_report(run.path)


def test_no_torch_no_window_and_no_pyplot_is_needed(self_training):
    code = (
        "import sys; from pathlib import Path;"
        "from napari_cryopick.runs.report import write_report;"
        "write_report(Path(sys.argv[1]));"
        "print(*sys.modules.keys() & {'torch', 'napari', 'qtpy', 'matplotlib.pyplot'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(self_training.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""


def test_the_same_run_gives_the_same_report(self_training):
    assert self_training.report() == self_training.report()


def test_without_a_pixel_size_only_the_pictures_are_missing(run):
    folder = run.add(0, True, 0.61, 4)
    picks = read_picks(folder / "picks.star").by_micrograph
    write_picks(folder / "picks.star", PickSet(picks))
    text = text_of(run.report())
    assert "neither the settings nor the picks say the pixel size." in text
    assert "supervised start 0.610" in text


def test_no_picks_no_pictures(run):
    run.add(0, True, 0.0, 0)
    text = text_of(run.report())
    assert "No pick was kept, so there is nothing to be pictured." in text
    assert "could not be drawn" not in text
