"""What a person has said is asked of the network, and nothing that nobody has said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_cryopick.imaging.prepare import Rescaling
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.targets import (
    AREA,
    CENTRE,
    CONTAMINATION,
    Target,
    distances,
    labelled_target,
    unlabelled_target,
)

SHAPE = (100, 150)
RESCALING = Rescaling(0.25)
PARTICLE_PX = 20.0
HALF_SURE = 0.5


def target(picks: Picks, **said) -> Target:
    return labelled_target(SHAPE, picks, RESCALING, PARTICLE_PX, **said)


def at(*network_positions: tuple[float, float], status: str = Status.OK) -> Picks:
    """Picks at positions told in network pixels."""
    return Picks.at(RESCALING.to_micrograph(np.array(network_positions)), status=status)


def within(radius_px: float, *positions: tuple[float, float]) -> torch.Tensor:
    return distances(SHAPE, np.array(positions)) < radius_px


def test_nobody_is_sure_of_an_unlabelled_field():
    field = unlabelled_target(SHAPE)
    assert (field.values == 0).all()
    assert (field.weights > 0).all()
    assert (field.weights < 0.2).all()


def test_a_click_is_a_particle():
    field = target(at((40, 60)))
    inside = within(0.4 * PARTICLE_PX, (40, 60))
    assert (field.values[AREA, inside] == 1).all()
    assert (field.weights[:, inside] == 1).all()
    assert (field.values[CONTAMINATION, inside] == 0).all()
    assert field.values[CENTRE, 40, 60] == 1
    assert field.values[CENTRE].flatten().argmax() == 40 * SHAPE[1] + 60


def test_the_centre_lies_between_pixels_where_the_click_does():
    field = target(at((40.5, 60.25)))
    y, x = np.indices(SHAPE)
    centre = field.values[CENTRE].double().numpy()
    centroid = np.array([(y * centre).sum(), (x * centre).sum()]) / centre.sum()
    np.testing.assert_allclose(centroid, (40.5, 60.25), atol=0.05)


def test_what_nobody_clicked_is_never_surely_background():
    field = target(at((40, 60), (70, 120)))
    for layer, particle_px in ((AREA, 0), (CENTRE, 0.6 * PARTICLE_PX)):
        elsewhere = (field.values[layer] < 0.5) & ~within(particle_px, (40, 60), (70, 120))
        assert (field.weights[layer, elsewhere] < HALF_SURE).all()


def test_a_deleted_pick_is_surely_no_particle():
    field = target(at((40, 60), status=Status.DELETED))
    near = within(0.4 * PARTICLE_PX, (40, 60))
    for layer in (AREA, CENTRE):
        assert (field.values[layer] == 0).all()
        assert (field.weights[layer, near] == 1).all()
    assert (field.weights[CONTAMINATION] < HALF_SURE).all()


def test_a_pick_beside_a_deleted_one_stays_a_particle():
    positions = RESCALING.to_micrograph(np.array([(40, 60), (40, 66)]))
    field = target(Picks.at(positions, status=[Status.OK, Status.DELETED]))
    assert field.values[AREA, 40, 60] == 1
    assert field.values[CENTRE, 40, 60] == 1
    assert (field.weights[:, 40, 60] == 1).all()


def test_complete_labels_say_that_the_rest_is_background():
    field = target(at((40, 60)), complete=True)
    far = ~within(PARTICLE_PX, (40, 60))
    for layer in (AREA, CENTRE):
        assert (field.values[layer, far] == 0).all()
        assert (field.weights[layer, far] == 1).all()
    assert (field.weights[CONTAMINATION, far] < HALF_SURE).all()


def paint(value: int, *, scale: float = 0.25) -> Labels:
    """A rectangle of one class over network rows 20 to 40, columns 60 to 80."""
    per_network_pixel = scale / RESCALING.factor
    classes = np.zeros([int(n * per_network_pixel) for n in SHAPE], dtype=np.uint8)
    rows, columns = (slice(*(int(n * per_network_pixel) for n in s)) for s in ((20, 40), (60, 80)))
    classes[rows, columns] = value
    return Labels(classes, scale)


@pytest.mark.parametrize(
    ("painted", "expected"),
    [
        (LabelClass.PARTICLE, {AREA: 1, CONTAMINATION: 0}),
        (LabelClass.BACKGROUND, {AREA: 0, CENTRE: 0, CONTAMINATION: 0}),
        (LabelClass.CONTAMINATION, {AREA: 0, CENTRE: 0, CONTAMINATION: 1}),
    ],
)
def test_what_is_painted_is_so_and_the_rest_stays_unknown(painted, expected):
    field = target(Picks.at([]), labels=paint(painted))
    inside = torch.zeros(SHAPE, dtype=torch.bool)
    inside[20:40, 60:80] = True
    for layer, value in expected.items():
        assert (field.values[layer, inside] == value).all()
        assert (field.weights[layer, inside] == 1).all()
    assert (field.values[:, ~inside] == 0).all()
    assert (field.weights[:, ~inside] < HALF_SURE).all()


def test_a_painted_particle_does_not_say_where_its_centre_is():
    field = target(Picks.at([]), labels=paint(LabelClass.PARTICLE))
    assert (field.weights[CENTRE] < HALF_SURE).all()


def test_a_painted_particle_without_a_pick_has_a_centre_somewhere():
    """Complete labels say what is background; where the particles' centres are, picks alone say."""
    particle = within(0.4 * PARTICLE_PX, (30, 70))
    elsewhere = torch.ones(SHAPE, dtype=torch.bool)
    elsewhere[20:40, 60:80] = False
    painted = target(Picks.at([]), complete=True, labels=paint(LabelClass.PARTICLE))
    assert (painted.weights[CENTRE, ~elsewhere] < HALF_SURE).all()
    assert (painted.values[AREA, ~elsewhere] == 1).all()
    for layer in (AREA, CENTRE):
        assert (painted.values[layer, elsewhere] == 0).all()
        assert (painted.weights[layer, elsewhere] == 1).all()
    picked = target(at((30, 70)), complete=True, labels=paint(LabelClass.PARTICLE))
    assert (picked.weights[CENTRE, particle] == 1).all()
    assert picked.values[CENTRE, 30, 70] == 1


def test_unpainted_labels_say_nothing():
    bare, labelled = target(at((40, 60))), target(at((40, 60)), labels=paint(LabelClass.UNKNOWN))
    assert torch.equal(bare.values, labelled.values)
    assert torch.equal(bare.weights, labelled.weights)


@pytest.mark.parametrize("painted", [LabelClass.BACKGROUND, LabelClass.CONTAMINATION])
def test_paint_overrules_a_pick(painted):
    field = target(at((30, 70)), labels=paint(painted))
    assert field.values[AREA, 30, 70] == 0
    assert field.values[CENTRE, 30, 70] == 0
    assert (field.weights[:, 30, 70] == 1).all()


@pytest.mark.parametrize("scale", [0.05, 0.125, 0.5, 1.0])
def test_labels_may_be_coarser_or_finer_than_the_network(scale):
    field = target(Picks.at([]), labels=paint(LabelClass.CONTAMINATION, scale=scale))
    expected = target(Picks.at([]), labels=paint(LabelClass.CONTAMINATION))
    assert torch.equal(field.values, expected.values)
    assert torch.equal(field.weights, expected.weights)


def test_complete_labels_leave_no_room_for_a_guess():
    """Where every particle is picked, a model's opinion counts along the border only."""
    everywhere = Target(torch.ones(3, 100, 100), torch.full((3, 100, 100), 0.7))
    target = labelled_target(
        (100, 100),
        Picks.at([(50, 50)]),
        Rescaling(1.0),
        20,
        complete=True,
        pseudo=everywhere,
        border=0.5,
    )
    assert target.values[AREA, 20, 20] == 0
    assert target.weights[AREA, 20, 20] == 1
    assert target.values[AREA, 50, 50] == 1
    assert target.values[AREA, 5, 50] == 1
    assert target.weights[AREA, 5, 50] == pytest.approx(0.7)
