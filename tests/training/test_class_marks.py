"""Marks of classes become labels; what a person has said of a place comes first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.io import write_picks
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.picks import Picks, PickSet, Source, Status, join_picks
from napari_cryopick.training.class_marks import ClassMarks, picks_of_marks
from napari_cryopick.training.examples import (
    MOST_MARKED,
    has_both_kinds,
    load_examples,
    undisputed,
)
from napari_cryopick.training.targets import CENTRE

ROW = np.column_stack([np.full(4, 50.0), np.arange(4) * 50.0 + 50])


def classified(numbers, positions=ROW) -> PickSet:
    extra = {"rlnClassNumber": np.asarray(numbers)}
    return PickSet({"a.mrc": Picks.at(positions, 0.5, Source.MODEL, extra=extra)})


def test_members_of_marked_classes_are_labels_and_of_others_nothing_is_known():
    """Class 0 holds what could not be classified."""
    (found,) = picks_of_marks(classified([1, 2, 3, 0]), [1], [3]).by_micrograph.values()
    assert found.statuses.tolist() == ["ok", "deleted"]
    assert set(found.sources) == {Source.CLASS}
    np.testing.assert_array_equal(found.positions, ROW[[0, 2]])


@pytest.mark.parametrize(
    ("particle", "junk", "message"),
    [
        ((), (), "no class is marked"),
        ((1, 9), (8,), "classes 8, 9 are marked but not there; they are 1 to 3."),
        ((0,), (), "class 0 is marked but not there; they are 1 to 3."),
        ((1, 2), (2,), "class 2 is marked as particle and as junk"),
    ],
)
def test_marks_that_cannot_be_meant_are_refused(particle, junk, message):
    with pytest.raises(CryopickError, match=message):
        picks_of_marks(classified([1, 2, 3, 0]), particle, junk)


def test_a_folder_of_classes_is_read_and_another_one_refused(tmp_path):
    write_picks(tmp_path / "particles.star", classified([1, 2, 2, 4]))
    (found,) = ClassMarks(tmp_path, [1], [2]).read([Path("a.mrc")]).by_micrograph.values()
    assert found.statuses.tolist() == ["ok", "deleted", "deleted"]
    with pytest.raises(CryopickError, match=f"{tmp_path}: class 3 is marked .* 1, 2, 4"):
        ClassMarks(tmp_path, [3]).read()
    with pytest.raises(CryopickError, match="holds no classes"):
        ClassMarks(tmp_path / "other", [1]).read()
    write_picks(tmp_path / "particles.star", PickSet({"a.mrc": Picks.at(ROW)}))
    with pytest.raises(CryopickError, match="the picks have no classes"):
        ClassMarks(tmp_path, [1]).read()


def test_clicks_deletions_and_paint_win_over_classes():
    """Of six members, the first three lie where a person has spoken."""
    members = Picks.at(
        np.column_stack([np.full(6, 50.0), np.arange(6) * 50.0 + 50]),
        source=Source.CLASS,
        status=[Status.DELETED, Status.OK, Status.OK, Status.OK, Status.DELETED, Status.OK],
    )
    by_hand = Picks.at([[50, 58], [50, 92]], status=[Status.OK, Status.DELETED])
    classes = np.zeros((60, 200), np.uint8)
    classes[20:30, 70:80] = LabelClass.BACKGROUND
    kept = undisputed(join_picks([members, by_hand]), Labels(classes, 0.5), diameter_px=20)
    np.testing.assert_array_equal(kept.positions[:, 1], [58, 92, 200, 250, 300])
    assert kept.statuses.tolist() == ["ok", "deleted", "ok", "deleted", "ok"]


def of_class(picks: Picks, status: str = Status.OK) -> Picks:
    return Picks.at(picks.positions, source=Source.CLASS, status=status)


def test_classes_label_the_target(project, quick):
    first = project.micrographs[0]
    particles = project.particles[first]
    half = len(particles) // 2
    rows = np.arange(len(particles))
    marks = join_picks(
        [of_class(particles[rows < half]), of_class(particles[rows >= half], Status.DELETED)]
    )
    (example,) = load_examples([first], {first: marks}, {}, quick)
    assert has_both_kinds([example])
    assert not len(example.particles_by_hand)
    target = example.target(example.training_picks, complete=False)
    at = np.rint(example.rescaling.to_network(marks.positions)).astype(int)
    inside = ((at >= 0) & (at < target.values.shape[1:])).all(axis=1)
    y, x = at[inside].T
    known = target.weights[CENTRE, y, x].numpy()
    assert (known == 1).all()
    drawn = target.values[CENTRE, y, x].numpy() > 0.5
    np.testing.assert_array_equal(drawn, (marks.statuses == Status.OK)[inside])


def test_complete_labels_stay_complete_beside_classes(project, quick):
    """Marked classes neither add to complete micrographs nor make others complete."""
    complete = quick.model_copy(update={"complete": True})
    first, second, *_ = project.micrographs
    wrong = of_class(Picks.at([[5, 5], [100, 100]]), Status.DELETED)
    picks = {
        first: join_picks([project.particles[first], wrong]),
        second: of_class(project.particles[second]),
    }
    a, b, *_ = load_examples(project.micrographs, picks, {}, complete)
    assert len(a.picks) == len(project.particles[first])
    assert (a.has_particles, b.has_particles) == (True, False)
    assert (a.held_out_rows.any(), b.held_out_rows.any()) == (True, False)


def test_of_very_many_marked_micrographs_some_are_used(project, quick, tmp_path):
    first = project.micrographs[0]
    copies = [tmp_path / f"{n}.mrc" for n in range(MOST_MARKED + 9)]
    for copy in copies:
        copy.symlink_to(first)
    marks = of_class(project.particles[first])
    picks = dict.fromkeys(copies, marks) | {copies[-1]: project.particles[first]}
    examples = load_examples(copies, picks, {}, quick, most_unlabelled=0)
    assert len(examples) == MOST_MARKED + 1
    assert copies[-1] in {example.path for example in examples}
