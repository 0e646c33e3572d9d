"""The report says what came of a run, whatever is missing of it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from napari_cryopick.errors import CryopickError
from napari_cryopick.io import PickSet, read_picks, write_picks
from napari_cryopick.runs.report import write_report

ROLLED_BACK = "F1 fell & <b>ice</b> was picked."


@pytest.fixture
def self_training(run):
    """An initial model, a round that is better and one that is not."""
    learnt = {"particles": 1234, "micrographs": 2}
    pixels = {"f1": 0.5, "iou": 0.4321, "roc_auc": None}
    run.add(0, picks=4, f1=0.61)
    run.add(1, picks=6, f1=0.72, precision=0.7654, pixels=pixels, pseudo_labels=learnt)
    run.add(2, accepted=False, picks=7, f1=0.65, reason=ROLLED_BACK)
    run.end()
    return run


def page_of(run) -> str:
    return write_report(run.path).read_text(encoding="utf-8")


def text_of(run) -> str:
    """What a reader sees, without tags and with single spaces."""
    page = re.sub(r"<style.*?</style>|<[^>]+>", " ", page_of(run), flags=re.DOTALL)
    return " ".join(page.split())


def images(run) -> list[int]:
    """How many curves and how many pictures there are."""
    curves, pictures = page_of(run).split("<h2>Picks</h2>")
    return [part.count('<img src="data:image/webp;base64,') for part in (curves, pictures)]


def test_it_begins_with_what_to_do(self_training):
    text = text_of(self_training)
    assert "Use round 1: it has the highest F1 on held-out labels. Correct some picks." in text
    assert "Labelled micrographs: 1. Picks to train on: 10; held out for validation: 3." in text


def test_every_iteration_has_its_row(self_training):
    text = text_of(self_training)
    assert "initial model 0.610 – – – – 8 kept Because." in text
    assert "round 1 0.720 – 0.765 – – 12 best" in text
    assert "Trained on 1,234 pseudo-labels in 2 micrographs. Pixels: F1 0.500, IoU 0.432" in text
    assert "round 2 0.650 – – – – 14 not kept" in text


def test_what_was_not_measured_is_marked(run):
    run.add(0, threshold=0.35, expected={"precision": 0.91, "recall": 0.84})
    text = text_of(run)
    assert "initial model – – ≈0.910 ≈0.840 0.35 8 best" in text
    assert "Use the initial model. The run has not finished." in text


def test_a_round_that_was_kept_although_it_is_worse_is_not_recommended(run):
    run.add(0, f1=0.7)
    run.add(1, f1=0.6)
    run.end(advice="")
    assert "Use the initial model: it has the highest F1 on held-out labels." in text_of(run)


def test_words_from_the_run_cannot_become_markup(self_training):
    page = page_of(self_training)
    assert "F1 fell &amp; &lt;b&gt;ice&lt;/b&gt; was picked." in page
    assert "<b>ice</b>" not in page


def test_it_is_one_file(self_training):
    page = page_of(self_training)
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []


def test_curves_and_pictures_are_drawn(self_training):
    assert images(self_training) == [2, 2]
    text = text_of(self_training)
    assert "Picks of the initial model against those of round 1, where they differ most." in text
    assert "could not be drawn" not in text


def test_a_round_that_was_not_accepted_is_compared_too(run):
    run.add(0, picks=4)
    run.add(1, accepted=False, picks=6)
    assert "Picks of the initial model against those of round 1" in text_of(run)
    assert images(run) == [1, 2]


def test_a_training_without_rounds_shows_its_picks(run):
    run.add(0)
    assert "Picks of the initial model." in text_of(run)
    assert images(run) == [1, 2]


def test_missing_micrographs_cost_only_their_pictures(run, micrographs, tmp_path):
    run.micrographs = [micrographs[0], tmp_path / "gone.mrc"]
    run.add(0, f1=0.61)
    assert images(run) == [1, 1]
    text = text_of(run)
    assert "1 of 2 micrographs are not where the run found them" in text
    assert "initial model 0.610" in text


def test_a_micrograph_that_is_broken_costs_its_picture_alone(run, micrographs, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(b"no micrograph" * 200)
    run.micrographs = [broken, micrographs[0]]
    run.add(0)
    assert images(run) == [1, 1]
    assert f"broken.mrc could not be drawn: {broken} is not an MRC file" in text_of(run)


def test_broken_picks_cost_what_is_drawn_of_them(self_training):
    (self_training.path / "iteration_1_selftrain" / "picks.star").write_text("nothing")
    text = text_of(self_training)
    assert "The picks could not be drawn: " in text
    assert "round 1 0.720" in text


def test_without_sizes_only_the_pictures_are_missing(run):
    folder = run.add(0, f1=0.61)
    write_picks(folder / "picks.star", PickSet(read_picks(folder / "picks.star").by_micrograph))
    text = text_of(run)
    assert "The picks could not be drawn: The diameter or the pixel size is not on record." in text
    (run.path / "settings.yaml").unlink()
    text = text_of(run)
    assert "settings.yaml is missing or broken." in text
    assert "initial model 0.610" in text


def test_a_run_without_picks_says_so(run):
    run.add(0, picks=0)
    assert "There are no picks to draw." in text_of(run)


def test_a_run_that_has_only_begun_is_reported(run):
    assert "No iteration has begun yet." in text_of(run)
    (run.path / "iteration_0_supervised").mkdir()
    text = text_of(run)
    assert "There is no model yet; let the training finish." in text
    assert "initial model – – – – – – not finished Its metrics.json is missing or broken." in text
    assert "There is no loss curve" in text


def test_a_run_of_which_only_the_models_are_left_is_reported(run):
    (run.add(0) / "picks.star").unlink()
    (run.path / "events.jsonl").unlink()
    (run.path / "settings.yaml").unlink()
    (run.path / "iteration_0_supervised" / "metrics.json").unlink()
    assert "Use the initial model." in text_of(run)


def test_no_run_no_report(tmp_path):
    with pytest.raises(CryopickError, match="holds no run"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_is_left(self_training, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(CryopickError, match="choose another name"):
        write_report(self_training.path, tmp_path / "taken")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "taken"}


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
