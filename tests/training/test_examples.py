"""What a training reads, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.examples import load_examples, require_particles
from napari_cryopick.training.targets import AREA, CENTRE, UNLABELLED, distances


def load(micrographs, picks, settings, labels=None):
    examples = load_examples(micrographs, picks, labels or {}, settings)
    require_particles(examples)
    return examples


def test_the_labelled_come_first_and_the_others_help(project, quick):
    second = project.micrographs[1]
    examples = load(project.micrographs, {second: project.particles[second]}, quick)
    assert examples[0].path == second
    assert {e.path for e in examples} == set(project.micrographs)
    assert [e.picks is None for e in examples] == [False, True, True, True]


def test_picks_lie_on_what_the_network_sees(project, quick):
    """Particles are darker than the ice around them."""
    first = project.micrographs[0]
    (example, *_) = load(project.micrographs[:1], {first: project.particles[first]}, quick)
    drawn = example.training_image(complete=False)
    image = drawn.layers[0]
    on_particles = distances(image.shape, drawn.positions.numpy()) < 7
    assert image[on_particles].mean() < image[~on_particles].mean() - 0.3


def test_a_broken_micrograph_that_nobody_labelled_is_left_out(project, quick, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_text("not a micrograph")
    paths, left_out = [broken, *project.micrographs], []
    examples = load_examples(paths, project.clicks(), {}, quick, left_out=left_out)
    assert {e.path for e in examples} == set(project.micrographs)
    assert left_out == [f"{broken} is not an MRC file."]


def test_only_broken_micrographs_are_told(quick, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_text("not a micrograph")
    with pytest.raises(CryopickError, match=str(broken)):
        load_examples([broken], {}, {}, quick)


def test_a_broken_micrograph_that_somebody_labelled_is_told(project, quick, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(project.micrographs[0].read_bytes()[:-5000])
    with pytest.raises(CryopickError, match=str(broken)):
        load([broken, *project.micrographs], {broken: Picks.at([[50, 50]])}, quick)


def test_namesakes_in_two_folders_keep_their_own_picks(project, quick, tmp_path):
    original = project.micrographs[0]
    copy = Path(shutil.copy(original, tmp_path))
    picks = {original: Picks.at([[50, 60]]), copy: Picks.at([[100, 200]])}
    examples = load([original, copy], picks, quick)
    assert [e.picks.positions.tolist() for e in examples] == [[[50, 60]], [[100, 200]]]


@pytest.mark.parametrize(
    "nothing", [None, Picks.at([]), Picks.at([[50, 50], [80, 90]], status=Status.DELETED)]
)
def test_without_a_particle_there_is_nothing_to_learn(nothing, project, quick):
    picks = {} if nothing is None else {project.micrographs[0]: nothing}
    with pytest.raises(CryopickError, match="There are no picks to train on"):
        load(project.micrographs, picks, quick)


def test_picks_and_labels_of_other_micrographs_are_nothing_to_learn_from(project, quick):
    picks = {Path("elsewhere/a.mrc"): Picks.at([[50, 50]])}
    labels = {Path("elsewhere/a.mrc"): Labels(np.ones((64, 64), np.uint8))}
    with pytest.raises(CryopickError, match="There are no picks to train on"):
        load(project.micrographs, picks, quick, labels)


@pytest.mark.parametrize("outside", [(50, 384), (320, 50), (-1, 50), (1000, 1000)])
def test_picks_outside_are_told_with_the_file(outside, project, quick):
    first = project.micrographs[0]
    with pytest.raises(CryopickError, match=r"outside .*simulated_0001\.mrc \(384 x 320") as caught:
        load(project.micrographs, {first: Picks.at([(50, 50), outside])}, quick)
    y, x = outside
    assert f"x = {x:g}, y = {y:g}" in str(caught.value)


def test_picks_on_the_very_edge_are_inside(project, quick):
    first = project.micrographs[0]
    corners = Picks.at([(-0.5, -0.5), (319.5, 383.5)])
    assert len(load([first], {first: corners}, quick)) == 1


@pytest.mark.parametrize("diameter_angstrom", [2000, 10])
def test_a_diameter_that_does_not_fit_is_told(diameter_angstrom, project, quick):
    settings = quick.model_copy(update={"diameter_angstrom": diameter_angstrom})
    with pytest.raises(CryopickError, match=r"simulated_0001\.mrc.*check diameter and pixel size"):
        load(project.micrographs, project.clicks(), settings)


def test_an_unknown_pixel_size_is_asked_for_and_may_be_given(project, quick, tmp_path):
    path = tmp_path / "a.mrc"
    with mrcfile.open(project.micrographs[0]) as mrc:
        mrcfile.write(path, mrc.data)
    picks = {path: Picks.at([[50, 50]])}
    with pytest.raises(CryopickError, match="does not say its pixel size"):
        load([path], picks, quick)
    (example,) = load([path], picks, quick.model_copy(update={"pixel_size_angstrom": 4.0}))
    assert example.rescaling.factor == pytest.approx(0.5)


def test_ground_that_judges_does_not_teach(project, quick):
    settings = quick.model_copy(update={"complete": True})
    path = project.micrographs[0]
    (example,) = load([path], {path: project.particles[path]}, settings)
    drawn = example.training_image(complete=True)
    weights, strip = drawn.layers[4:], round(drawn.layers.shape[1] * 5 / 6) + 1
    assert (weights[:, strip:] == 0).all()
    assert (weights[:, : strip - 20] > 0).any()
    assert (drawn.positions[:, 0] < strip).all()


def test_deleted_picks_are_no_places_to_look_for_particles(project, quick):
    path = project.micrographs[0]
    picks = Picks.at([(50, 60), (90, 200)], status=[Status.OK, Status.DELETED])
    (example,) = load([path], {path: picks}, quick)
    expected = example.rescaling.to_network(np.array([(50, 60)]))
    np.testing.assert_allclose(
        example.training_image(complete=False).positions, expected, rtol=1e-6
    )


def test_an_empty_labels_layer_is_nothing_to_learn_from(project, quick):
    labels = {project.micrographs[0]: Labels(np.zeros((320, 384), np.uint8))}
    with pytest.raises(CryopickError, match="There are no picks to train on"):
        load(project.micrographs, {}, quick, labels)


@pytest.fixture
def painted(project, quick):
    """A completely picked micrograph, and one on which a class is painted in a corner, no more."""

    def painted(painted_class: LabelClass):
        first, second = project.micrographs[:2]
        classes = np.zeros((320, 384), np.uint8)
        classes[:80, :80] = painted_class
        picks, labels = {first: project.particles[first]}, {second: Labels(classes)}
        complete = quick.model_copy(update={"complete": True})
        return load([first, second], picks, complete, labels)[1]

    return painted


def test_painted_particles_without_picks_do_not_judge_and_their_centres_are_unknown(painted):
    example = painted(LabelClass.PARTICLE)
    assert not example.held_out_rows.any()
    weights = example.training_image(complete=True).layers[4:]
    assert (weights[CENTRE, :40, :40] == UNLABELLED).all()
    assert (weights[AREA, 10:40, 10:40] == 1).all()
    assert (weights[: CENTRE + 1, 45:-10, 10:-10] == 1).all()


def test_where_dirt_alone_is_painted_nobody_has_said_that_there_are_no_particles(painted):
    weights = painted(LabelClass.CONTAMINATION).training_image(complete=True).layers[4:]
    assert (weights[:, :40, :40] == 1).all()
    assert (weights[:, 45:] == UNLABELLED).all()


def test_an_empty_table_of_picks_says_that_there_are_no_particles(project, quick):
    first, second = project.micrographs[:2]
    picks = {first: project.particles[first], second: Picks.at([])}
    complete = quick.model_copy(update={"complete": True})
    _, empty = load([first, second], picks, complete)
    assert empty.held_out_rows.any()
    assert (empty.training_image(complete=True).layers[4 + CENTRE, 20:100, 20:-20] == 1).all()


@pytest.fixture
def with_margin(project, tmp_path):
    """A micrograph of which 64 columns at the left only repeat the next one."""
    path = Path(shutil.copy(project.micrographs[0], tmp_path))
    with mrcfile.open(path, "r+") as mrc:
        mrc.data[:, :64] = mrc.data[:, 64:65]
    return path


@pytest.mark.parametrize("complete", [False, True])
def test_nothing_is_learnt_in_margins_but_what_a_person_has_labelled(
    with_margin, quick, complete, project
):
    inside, outside = (100.0, 30.0), (100.0, 200.0)
    settings = quick.model_copy(update={"complete": complete})
    (example,) = load([with_margin], {with_margin: Picks.at([inside, outside])}, settings)
    drawn = example.training_image(complete)
    weights = drawn.layers[4:]
    in_margin = np.zeros(weights.shape[1:], dtype=bool)
    in_margin[:, : int(60 * example.rescaling.factor)] = True
    (y, x), _ = np.rint(example.rescaling.to_network(np.array([inside, outside]))).astype(int)
    clicked = distances(in_margin.shape, np.array([[y, x]])).numpy() < example.particle_px
    assert weights[CENTRE, y, x] == 1
    assert (weights[:, in_margin & ~clicked] == 0).all()
    assert drawn.first[1] * 1 / example.rescaling.factor == pytest.approx(64, abs=16)


def test_unlabelled_micrographs_teach_nothing_in_margins(with_margin, project, quick):
    clicks = {project.micrographs[1]: Picks.at([[100, 200]])}
    examples = load([project.micrographs[1], with_margin], clicks, quick)
    (example,) = (e for e in examples if e.path == with_margin)
    weights = example.training_image(complete=False).layers[4:]
    assert (weights[..., : int(60 * example.rescaling.factor)] == 0).all()
    assert (weights[..., int(90 * example.rescaling.factor) :] > 0).all()
