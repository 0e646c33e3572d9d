from __future__ import annotations

from time import process_time

import mrcfile
import numpy as np
import pytest
from scipy import ndimage

from napari_cryopick.evaluation.particles import precision_recall_curve
from napari_cryopick.io import match_picks, read_micrograph, read_picks
from napari_cryopick.labels import LabelClass
from napari_cryopick.picks import Picks, Status
from napari_cryopick.ruler import BORDER
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simple import simulate_fields, write_fields

SMALL = SimulationSettings(count=2, shape=(300, 400), particles=12, fragments=3)


def test_the_same_seed_gives_the_same_fields():
    first, second = (list(simulate_fields(SMALL)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert (one.micrograph.pixels == other.micrograph.pixels).all()
        assert (one.picks.positions == other.picks.positions).all()
        assert (one.labels.classes == other.labels.classes).all()


def test_other_seeds_and_other_fields_differ():
    first, second = simulate_fields(SMALL)
    other = next(simulate_fields(SMALL.model_copy(update={"seed": 1})))
    for field in (second, other):
        assert (first.micrograph.pixels != field.micrograph.pixels).any()
        assert first.picks.positions.tolist() != field.picks.positions.tolist()


def test_a_field_does_not_depend_on_how_many_there_are():
    one = next(simulate_fields(SMALL.model_copy(update={"count": 1})))
    assert (one.micrograph.pixels == next(simulate_fields(SMALL)).micrograph.pixels).all()


def test_particles_are_dark_and_where_their_centres_say():
    settings = SimulationSettings(
        count=1, shape=(512, 512), particles=15, fragments=0, ice_balls=0, signal_to_noise=0.5
    )
    field = next(simulate_fields(settings))
    inside = field.labels.classes == LabelClass.PARTICLE
    pixels = field.micrograph.pixels
    assert pixels[inside].mean() < pixels[~inside].mean()
    to_shadow = ndimage.distance_transform_edt(~inside)
    centres = np.round(field.picks.with_status(Status.OK).positions).astype(int)
    assert len(centres) > 5
    assert to_shadow[tuple(centres.T)].max() < settings.diameter_px / 4


def test_every_pixel_has_a_class_and_ice_balls_are_contamination():
    field = next(simulate_fields(SMALL.model_copy(update={"ice_balls": 6.0})))
    ice = field.labels.classes == LabelClass.CONTAMINATION
    assert LabelClass.UNKNOWN not in field.labels.classes
    assert field.labels.classes.shape == field.micrograph.shape == (300, 400)
    pixels = field.micrograph.pixels
    assert pixels[ice].mean() < 0.9 * pixels[~ice].mean()


def test_particles_at_the_edge_and_under_ice_are_flagged():
    settings = SimulationSettings(count=1, shape=(600, 600), particles=40, ice_balls=12)
    field = next(simulate_fields(settings))
    picks = field.picks
    assert {Status.OK, Status.BORDER, Status.CONTAMINATION} == set(picks.statuses)
    whole = picks.with_status(Status.OK).positions
    assert whole.min() >= BORDER * settings.diameter_px
    assert whole.max() <= 599 - BORDER * settings.diameter_px
    rows, columns = np.round(whole).astype(int).T
    assert LabelClass.CONTAMINATION not in field.labels.classes[rows, columns]


@pytest.mark.parametrize("symmetry", ["C1", "D2", "O"])
def test_particles_are_as_strong_as_asked_for(symmetry):
    settings = SimulationSettings(
        count=1,
        shape=(500, 500),
        symmetry=symmetry,
        fragments=0,
        ice_balls=0,
        defocus_angstrom=(18_000, 18_000),
        signal_to_noise=1,
    )
    variances = []
    for particles in (0, 25):  # a square of one diameter for each
        field = next(simulate_fields(settings.model_copy(update={"particles": particles})))
        pixels = field.micrograph.pixels
        variances.append((pixels / ndimage.gaussian_filter(pixels, 100)).var())
    added = (variances[1] - variances[0]) * settings.electrons_per_pixel
    assert 0.5 < added < 2


def test_a_field_may_be_empty():
    settings = SMALL.model_copy(update={"particles": 0, "fragments": 0, "ice_balls": 0.0})
    field = next(simulate_fields(settings))
    assert len(field.picks) == 0
    assert (field.labels.classes == LabelClass.BACKGROUND).all()
    assert field.micrograph.pixels.std() > 0


def test_a_blob_detector_does_not_do_the_job():
    settings = SimulationSettings(count=2)
    found, truth = {}, {}
    for name, field in enumerate(simulate_fields(settings)):
        found[name] = blobs(field.micrograph.pixels, settings.diameter_px)
        truth[name] = field.picks
    best, _ = precision_recall_curve(found, truth, settings.diameter_px).best_f1
    assert 0.6 < best < 0.93


def blobs(pixels, diameter_px):
    """Minima of a Laplacian of Gaussian, at least half a particle from the edge."""
    even = pixels / ndimage.gaussian_filter(pixels, diameter_px)
    response = ndimage.gaussian_laplace(even, diameter_px / 2 / np.sqrt(2))
    peaks = ndimage.maximum_filter(response, round(diameter_px / 2)) == response
    positions = np.argwhere(peaks)
    to_edge = np.minimum(positions, np.subtract(pixels.shape, 1) - positions).min(axis=1)
    positions = positions[to_edge >= diameter_px / 2]
    return Picks.at(positions, response[tuple(positions.T)])


def test_written_fields_are_read_back(tmp_path):
    fields = list(simulate_fields(SMALL))
    paths, star = write_fields(tmp_path / "new", fields)
    assert [path.parent for path in paths] == [tmp_path / "new" / "micrographs"] * 2
    read = match_picks(read_picks(star), paths)
    for path, field in zip(paths, fields, strict=True):
        micrograph = read_micrograph(path)
        assert (micrograph.pixels == field.micrograph.pixels).all()
        assert micrograph.pixel_size_angstrom == pytest.approx(1.6)
        whole = field.picks.with_status(Status.OK).positions
        np.testing.assert_allclose(read[path].positions, whole, atol=1e-3)
        assert mrcfile.validate(path)


def test_a_field_of_a_hundred_particles_takes_less_than_two_seconds():
    start = process_time()
    next(simulate_fields(SimulationSettings(particles=100)))
    assert process_time() - start < 2
