"""The dock 2D classes: classify, look, mark, and what follows from the marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_cryopick import Source, Status
from napari_cryopick.gui.contributions.coordinates import write_layer
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.docks.classes import ClassesDock
from napari_cryopick.gui.docks.train import TrainDock
from napari_cryopick.gui.layers.classes import (
    Mark,
    PickClasses,
    class_numbers,
    classes_of,
    set_classes,
)
from napari_cryopick.gui.layers.create import ensure_picks
from napari_cryopick.gui.layers.curation import (
    accept_pick,
    replace_model_picks,
    show_above,
    threshold_of,
    undo,
)
from napari_cryopick.gui.layers.layers import (
    MEMBERS,
    OFFSET_SD,
    find_layer,
    remember_diameter,
    slice_in_view,
    stack_of,
)
from napari_cryopick.gui.layers.stack import ensure_stack
from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.io.class_folder import CLASS, ClassFolder, read_classes
from napari_cryopick.picks import Picks, PickSet
from napari_cryopick.simulation.simulate import simulate_example

TIMEOUT_MS = 60_000
PLACES = [(40, 40), (40, 80), (80, 40), (80, 80), (60, 120)]
SCORES = [0.9, 0.8, 0.3, 0.2, 0.06]
REFINED = np.array([0.95, 0.9, 0.15, 0.1])


@pytest.fixture
def dock(viewer, qtbot):
    dock = ClassesDock(viewer)
    qtbot.addWidget(dock)
    dock.resize(320, 900)
    dock.show()
    return dock


@pytest.fixture
def picks(viewer, image):
    """Picks of a model on two of three micrographs, those of high and of low score apart."""
    remember_diameter(image, 40.0)
    layer = ensure_picks(viewer, image)
    found = Picks.at(PLACES, SCORES, Source.MODEL)
    replace_model_picks(layer, {0: found, 2: found}, "run")
    show_above(layer, 0.5)
    return layer


@pytest.fixture
def classified(picks):
    """Three classes of these: 1 of the two junk ones, 2 and 3 of a particle each."""
    paths = [stack_of(picks).paths[index] for index in (0, 2)]
    table = Picks.at(PLACES[:4], SCORES[:4], Source.MODEL)
    table = replace(table, extra={CLASS: np.array([3, 2, 1, 1])})
    averages = np.random.default_rng(0).normal(size=(3, 42, 42)).astype(np.float32)
    folder = ClassFolder(
        averages,
        2.0,
        np.array([4, 2, 2]),
        np.array([0.25, 0.8, 0.9]),
        np.array([30.0, 12.0, 10.0]),
        np.array(["unsure", "particle", "particle"]),
        PickSet({str(path): table for path in paths}, 2.0),
    )
    refined = {str(path): replace(table, scores=REFINED)[np.arange(4)[::-1]] for path in paths}
    set_classes(picks, PickClasses(folder, PickSet(refined, 2.0)))
    return picks


def tiles(dock) -> list[tuple]:
    return [(tile.key, tile.lines[0], tile.letter) for tile in dock.gallery.tiles()]


def mark_junk(layer, number: int) -> None:
    set_classes(layer, classes_of(layer).with_mark([number], Mark.JUNK))


def finish(dock, qtbot) -> str:
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    return dock.job.status.text()


def test_without_picks_it_says_what_to_do(dock, image):
    dock.job.button.click()
    assert dock.job.running is None
    assert "predict particles, or open a file of picks" in dock.job.status.text()
    assert not dock.remove.isEnabled()


@pytest.fixture
def particles(viewer, tmp_path):
    """Two micrographs of particles of 160 Å, with picks on these and on as many other places."""
    how = {"shape": (400, 400), "pixel_size_angstrom": 3.2, "ice_balls": 0}
    simulate_example(tmp_path / "sim", count=2, particles=20, **how)
    pixels, attributes, _ = read_stacks(str(tmp_path / "sim" / "micrographs"))[0]
    image = viewer.add_image(pixels, **attributes)
    remember_diameter(image, 160.0)
    stack, random, found = ensure_stack(image), np.random.default_rng(0), {}
    truth = match_picks(read_picks(tmp_path / "sim" / "particles.star"), stack.paths)
    for path, true in truth.items():
        places = np.concatenate([true.positions, random.uniform(60, 340, (len(true), 2))])
        scores = np.repeat([0.9, 0.15], len(true))
        found[stack.index(path)] = Picks.at(places, scores, Source.MODEL)
    layer = ensure_picks(viewer, image)
    replace_model_picks(layer, found, "run")
    show_above(layer, 0.5)
    return layer


def test_picks_are_classified_shown_or_not_best_class_first(particles, dock, qtbot):
    dock.form.fields["classes"].value = "3"
    dock.job.button.click()
    assert dock.job.button.text() == "Stop"
    sentence = finish(dock, qtbot)
    assert "picks in 3 classes" in sentence
    numbers = class_numbers(particles)
    assert numbers.max() == 3
    assert len(numbers) == len(particles.data) > particles.shown.sum()
    shares = [float(tile.lines[1].split("%")[0]) for tile in dock.gallery.tiles()]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 50
    assert [int(line) for _, line, _ in tiles(dock)] == [
        (numbers == tile.key).sum() for tile in dock.gallery.tiles()
    ]


def test_a_run_that_is_stopped_leaves_the_classes(particles, dock, qtbot):
    dock.job.button.click()
    dock.job.button.click()
    assert finish(dock, qtbot) == "Stopped. Classes unchanged."
    assert dock.gallery.count() == 0
    assert not class_numbers(particles).any()


def test_classes_are_marked_by_keyboard_and_button(classified, dock, qtbot):
    qtbot.waitUntil(lambda: len(tiles(dock)) == 3)
    assert [key for key, _, _ in tiles(dock)] == [3, 2, 1]
    dock.gallery.setFocus()
    qtbot.keyClick(dock.gallery, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(dock.gallery, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: [mark for *_, mark in tiles(dock)] == ["P", "P", "P"])
    dock.gallery.select([1])
    qtbot.keyClick(dock.gallery, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: [mark for *_, mark in tiles(dock)] == ["P", "P", "J"])
    assert dock.gallery.selected_keys() == [1]
    qtbot.waitUntil(lambda: "4 particle, 4 junk, 0 unmarked" in dock.counts.text())
    dock.gallery.select([2])
    dock.marks[Mark.NONE].click()
    qtbot.waitUntil(lambda: [mark for *_, mark in tiles(dock)] == ["P", "", "J"])


def test_ctrl_and_shift_click_select_many(classified, dock, qtbot):
    qtbot.waitUntil(lambda: len(tiles(dock)) == 3)

    def click(row: int, modifier=Qt.KeyboardModifier.NoModifier) -> list[int]:
        place = dock.gallery.visualItemRect(dock.gallery.item(row)).center()
        qtbot.mouseClick(dock.gallery.viewport(), Qt.MouseButton.LeftButton, modifier, place)
        return dock.gallery.selected_keys()

    assert click(0) == [3]
    assert click(2, Qt.KeyboardModifier.ControlModifier) == [3, 1]
    assert click(0) == [3]
    assert click(2, Qt.KeyboardModifier.ShiftModifier) == [3, 2, 1]


def test_members_light_up_and_a_click_on_a_crop_goes_there(classified, image, dock, qtbot, viewer):
    qtbot.waitUntil(lambda: len(tiles(dock)) == 3)
    dock.gallery.select([2])
    qtbot.waitUntil(lambda: find_layer(viewer.layers, image, MEMBERS) is not None)
    lit = find_layer(viewer.layers, image, MEMBERS)
    np.testing.assert_array_equal(lit.data, [(0, 40, 80), (2, 40, 80)])
    qtbot.waitUntil(lambda: dock.strip.count() == 2)
    dock.strip.setCurrentRow(1)
    assert slice_in_view(viewer, image) == 2
    dock.gallery.clearSelection()
    qtbot.waitUntil(lambda: len(lit.data) == 0 and dock.strip.count() == 0)


def test_scores_are_refined_in_one_step(classified, dock, qtbot):
    qtbot.waitUntil(dock.refine.isEnabled)
    dock.refine.click()
    assert dock.job.status.text().startswith("Scores refined: 4 picks from the threshold ")
    scores = [*REFINED, SCORES[4]] * 2
    np.testing.assert_array_equal(classified.features["score"], scores)
    np.testing.assert_array_equal(classified.shown, np.array(scores) > threshold_of(classified))
    undo(classified)
    np.testing.assert_array_equal(classified.features["score"], SCORES * 2)


def test_junk_is_removed_in_one_step_and_comes_back_by_undo(classified, dock, qtbot):
    qtbot.waitUntil(lambda: len(tiles(dock)) == 3)
    dock.gallery.select([1])
    assert not dock.remove.isEnabled()
    dock.mark(Mark.JUNK)
    qtbot.waitUntil(dock.remove.isEnabled)
    dock.remove.click()
    assert dock.job.status.text().startswith("4 picks of junk classes removed")
    assert len(classified.data) == 6
    qtbot.waitUntil(lambda: tiles(dock)[-1] == (1, "0", "J"))
    undo(classified)
    assert len(classified.data) == 10
    qtbot.waitUntil(lambda: tiles(dock)[-1] == (1, "4", "J"))


def test_what_a_person_has_accepted_is_no_junk(classified, dock):
    accept_pick(classified, 2)
    mark_junk(classified, 1)
    dock.remove_junk()
    assert len(classified.data) == 7
    assert (classified.features["source"] == Source.PERSON).sum() == 1


def test_precision_and_recall_change_with_the_marks(classified, dock, qtbot):
    classified.metadata[OFFSET_SD] = 0.0
    show_above(classified, 0.1)
    dock.micrographs.refresh()
    assert "8, expected precision 0.55, recall 0.97." in dock.counts.text()
    mark_junk(classified, 1)
    sentence = "Picks shown without junk: 4, expected precision 0.85, recall 0.75."
    qtbot.waitUntil(lambda: sentence in dock.counts.text())


@pytest.mark.parametrize("removed", [False, True])
def test_members_of_marked_classes_are_what_a_training_learns_from(
    classified, image, dock, viewer, qtbot, removed
):
    train = TrainDock(viewer)
    qtbot.addWidget(train)
    train.show()
    set_classes(classified, classes_of(classified).with_mark([3], Mark.PARTICLE))
    mark_junk(classified, 1)
    if removed:
        dock.remove_junk()
    sentence = "Labelled on 2 of 3 micrographs: 2 picks, 4 rejected, 6 of them by their 2D class."
    qtbot.waitUntil(lambda: train.parts.summary.text() == sentence)
    table = train.parts.data().picks[ensure_stack(image).paths[0]]
    assert set(table.sources) == {Source.CLASS}
    np.testing.assert_array_equal(table.positions[table.statuses == Status.OK], [(40, 40)])


def test_classes_and_marks_are_exported(classified, dock, qtbot, tmp_path):
    mark_junk(classified, 1)
    dock.export_to(tmp_path / "classes")
    qtbot.waitUntil(lambda: "exported" in dock.job.status.text(), timeout=TIMEOUT_MS)
    written = read_classes(tmp_path / "classes")
    assert written.verdicts.tolist() == ["junk", "particle", "particle"]
    assert (tmp_path / "classes" / "classes.png").exists()
    write_layer(tmp_path / "picks.star", classified)
    tables = read_picks(tmp_path / "picks.star").by_micrograph.values()
    assert [table.extra[CLASS].tolist() for table in tables] == [[3, 2], [3, 2]]


def test_a_model_is_trained_on_marked_classes(particles, dock, viewer, qtbot, tmp_path):
    dock.form.fields["classes"].value = "2"
    dock.job.button.click()
    finish(dock, qtbot)
    best, worst = classes_of(particles).ranking
    set_classes(particles, classes_of(particles).with_mark([best], Mark.PARTICLE))
    mark_junk(particles, worst)
    train = TrainDock(viewer)
    qtbot.addWidget(train)
    train.show()
    train.parts.folder.value = tmp_path / "runs"
    for name, value in {"batch_size": 1, "patch_px": 64, "steps": 3}.items():
        train.parts.form.fields[name].value = value
    train.parts.job.button.click()
    qtbot.waitUntil(lambda: train.parts.job.running is None, timeout=TIMEOUT_MS)
    assert train.parts.job.status.text().startswith("Trained in")
