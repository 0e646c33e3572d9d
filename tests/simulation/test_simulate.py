from __future__ import annotations

from threading import Event
from time import process_time

import mrcfile
import numpy as np
import pytest
import yaml
from PIL import Image
from scipy import ndimage

from napari_cryopick import CryopickError
from napari_cryopick.gui.contributions.reader import simulated as sample_data
from napari_cryopick.io import match_picks, read_micrograph, read_picks
from napari_cryopick.labels import LabelClass
from napari_cryopick.metrics.particles import precision_recall_curve
from napari_cryopick.picks import Picks, Status
from napari_cryopick.settings import BORDER
from napari_cryopick.simulation import parallel
from napari_cryopick.simulation.micrograph import STRUCTURE_COLUMN
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simulate import make_micrographs, simulate, simulate_example
from napari_cryopick.simulation.structures import read_structure
from napari_cryopick.simulation.synthetic import example_particle

SMALL = SimulationSettings(
    count=2, shape=(300, 400), pixel_size_angstrom=3.0, particles=15, empty_micrographs=0
)
CLEAN = SMALL.model_copy(
    update={
        "fragments": 0.0,
        "aggregates": 0.0,
        "ice_balls": 0.0,
        "carbon_edges": 0.0,
        "crystalline_ice": 0.0,
        "debris": (0.0, 0.0),
        "illumination_falloff": (0.0, 0.0),
    }
)


def changed(settings, **values):
    return type(settings)(**(settings.model_dump() | values))


def test_the_same_seed_gives_the_same_on_any_machine(blob, monkeypatch):
    first = list(make_micrographs([blob], SMALL))
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    second = list(make_micrographs([blob], SMALL))
    for one, other in zip(first, second, strict=True):
        assert (one.micrograph.pixels == other.micrograph.pixels).all()
        assert (one.picks.positions == other.picks.positions).all()
        assert (one.labels.classes == other.labels.classes).all()
        assert one.exposure == other.exposure


def test_other_seeds_differ_and_a_micrograph_does_not_depend_on_how_many_there_are(blob):
    first, second = make_micrographs([blob], SMALL)
    alone = next(make_micrographs([blob], changed(SMALL, count=1)))
    other = next(make_micrographs([blob], changed(SMALL, seed=1)))
    assert (first.micrograph.pixels == alone.micrograph.pixels).all()
    for simulated in (second, other):
        assert (first.micrograph.pixels != simulated.micrograph.pixels).any()
        assert first.picks.positions.tolist() != simulated.picks.positions.tolist()


def test_the_dose_is_conserved(blob):
    settings = changed(CLEAN, dose=(40, 40), particles=0, ice_thickness_angstrom=(1, 1))
    settings = changed(settings, ice_variation=(0, 0))
    simulated = next(make_micrographs([blob], settings))
    assert simulated.micrograph.pixels.mean() == pytest.approx(40 * 9 * 0.8, rel=0.01)


def test_thick_ice_costs_electrons_if_they_are_filtered(blob):
    def mean(**values):
        settings = changed(CLEAN, dose=(40, 40), ice_thickness_angstrom=(2000, 2000), **values)
        return next(make_micrographs([blob], settings)).micrograph.pixels.mean()

    assert mean(no_energy_filter=False) / mean(no_energy_filter=True) == pytest.approx(
        0.6, abs=0.05
    )


def test_particles_are_dark_and_where_their_centres_say(blob):
    settings = changed(
        CLEAN, count=3, dose=(2000, 2000), defocus_angstrom=(15_000, 15_000), b_factor=(0, 0)
    )
    for simulated in make_micrographs([blob], settings):
        inside = simulated.labels.classes == LabelClass.PARTICLE
        pixels = simulated.micrograph.pixels
        assert pixels[inside].mean() < pixels[~inside].mean()
        centres = np.round(simulated.picks.with_status(Status.OK).positions).astype(int)
        assert len(centres) > 8
        away = ndimage.distance_transform_edt(~inside)
        assert away[tuple(centres.T)].max() <= 2


def test_the_centre_of_each_mask_is_the_centre_of_its_particle(blob):
    settings = changed(CLEAN, count=1, particles=8, spacing=1.3, clustering=(0, 0), overlapping=0)
    simulated = next(make_micrographs([blob], settings))
    components, _ = ndimage.label(simulated.labels.classes == LabelClass.PARTICLE)
    whole = simulated.picks.with_status(Status.OK).positions
    away = blob.diameter_angstrom / 2 / settings.pixel_size_angstrom
    inner = whole[(whole > away).all(axis=1) & (whole < np.subtract((300, 400), away)).all(axis=1)]
    assert len(inner) >= 2
    for centre in inner:
        component = components[tuple(np.round(centre).astype(int))]
        assert component
        found = ndimage.center_of_mass(components == component)
        assert np.hypot(*(found - centre)) < 3


def test_masks_and_statuses_agree(blob):
    settings = changed(
        SMALL, count=4, particles=30, ice_balls=3, carbon_edges=0.5, gold_beads=2, aggregates=1
    )
    seen = set()
    for simulated in make_micrographs([blob], settings):
        classes, picks = simulated.labels.classes, simulated.picks
        assert classes.shape == simulated.micrograph.shape == (300, 400)
        assert LabelClass.UNKNOWN not in classes
        seen |= set(picks.statuses)
        nearest = np.round(picks.positions).astype(int)
        covered = classes[tuple(nearest.T)] == LabelClass.CONTAMINATION
        assert (covered == (picks.statuses == Status.CONTAMINATION)).all()
        whole = picks.with_status(Status.OK).positions
        border = BORDER * blob.diameter_angstrom / 3
        assert (whole >= border).all()
        assert (whole <= np.subtract((299, 399), border)).all()
    assert seen == {Status.OK, Status.BORDER, Status.CONTAMINATION}


def test_empty_micrographs_hold_nothing_to_pick(blob):
    simulated = next(make_micrographs([blob], changed(CLEAN, empty_micrographs=1)))
    assert len(simulated.picks) == 0
    assert (simulated.labels.classes == LabelClass.BACKGROUND).all()
    assert simulated.micrograph.pixels.std() > 0


def test_coverage_decides_how_many_there_are(blob):
    settings = changed(CLEAN, particles=None, coverage=(0.3, 0.3), spacing=0, shape=(1000, 1000))
    simulated = next(make_micrographs([blob], settings))
    disc = np.pi / 4 * blob.diameter_angstrom**2
    assert len(simulated.picks) == pytest.approx(0.3 * np.prod(settings.shape) * 9 / disc, rel=0.1)


def test_structures_come_one_after_the_other_or_mixed(blob, half_ring_pdb):
    ring = read_structure(half_ring_pdb)
    made = list(make_micrographs([blob, ring], changed(SMALL, count=3)))
    assert [simulated.structures for simulated in made] == [("blob",), ("ring",), ("blob",)]
    mixed = next(make_micrographs([blob, ring], changed(SMALL, mixed=True)))
    assert mixed.structures == ("blob", "ring")
    assert set(mixed.picks.extra[STRUCTURE_COLUMN]) == {1, 2}


def test_preferred_orientations_look_alike(half_ring_pdb):
    ring = read_structure(half_ring_pdb)
    settings = changed(CLEAN, orientations="preferred", preferred_views=1, preferred_share=1)
    settings = changed(settings, preferred_spread_degrees=0, spacing=1.5)
    simulated = next(make_micrographs([ring], settings))
    components, count = ndimage.label(simulated.labels.classes == LabelClass.PARTICLE)
    areas = [
        (components == components[tuple(centre)]).sum()
        for centre in np.round(simulated.picks.with_status(Status.OK).positions).astype(int)
        if components[tuple(centre)]
    ]
    assert count
    assert not areas or max(areas) < 1.3 * np.median(areas)


def test_everything_is_written(blob, tmp_path):
    events = list(simulate([blob], SMALL, tmp_path))
    assert [(event.index, event.total) for event in events] == [(0, 2), (1, 2)]
    paths = [event.path for event in events]
    star = read_picks(tmp_path / "particles.star")
    assert star.pixel_size_angstrom == 3.0
    assert star.diameter_angstrom == pytest.approx(blob.diameter_angstrom, abs=0.1)
    read = match_picks(star, paths)
    for path, event, simulated in zip(paths, events, make_micrographs([blob], SMALL), strict=True):
        assert mrcfile.validate(path)
        micrograph = read_micrograph(path)
        assert (micrograph.pixels == simulated.micrograph.pixels).all()
        assert micrograph.pixel_size_angstrom == pytest.approx(3)
        whole = simulated.picks.with_status(Status.OK).positions
        assert event.particles == len(whole)
        np.testing.assert_allclose(read[path].positions, whole, atol=1e-3)
        mask = np.asarray(Image.open(tmp_path / "masks" / f"{path.stem}.png"))
        assert (mask == simulated.labels.classes).all()
    settings = yaml.safe_load((tmp_path / "settings.yaml").read_text())
    assert settings["structures"][0]["name"] == "blob"
    names = SimulationSettings.model_fields
    again = SimulationSettings(**{key: settings[key] for key in names})
    assert again == SMALL
    exposures = yaml.safe_load((tmp_path / "exposures.yaml").read_text())
    assert list(exposures) == [f"micrographs/{path.name}" for path in paths]
    for exposure in exposures.values():
        assert 5_000 <= exposure["optics"]["defocus_u_angstrom"] <= 25_200


def test_a_stop_leaves_the_truth_about_what_is_there(blob, tmp_path):
    stop = Event()
    stop.set()
    events = list(simulate([blob], changed(SMALL, count=3), tmp_path, stop))
    assert len(events) == 1
    assert len(read_picks(tmp_path / "particles.star").by_micrograph) == 1


def test_what_cannot_be_is_told(blob, tmp_path):
    with pytest.raises(CryopickError, match="wide, more than a micrograph"):
        next(make_micrographs([blob], changed(SMALL, shape=(30, 400))))
    with pytest.raises(CryopickError, match="is no structure"):
        read_structure(tmp_path / "a.txt")


def test_a_micrograph_of_a_million_pixels_takes_less_than_three_seconds(blob):
    settings = changed(SMALL, count=1, shape=(1024, 1024), particles=75)
    start = process_time()
    next(make_micrographs([blob], settings))
    assert process_time() - start < 3


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return simulate_example(tmp_path_factory.mktemp("example"), count=2)


def test_a_blob_detector_does_not_do_the_job(written):
    paths, star = written
    diameter_px = example_particle().diameter_angstrom / 1.6
    found = {path: blobs(read_micrograph(path).pixels, diameter_px) for path in paths}
    truth = match_picks(read_picks(star), paths)
    best, _ = precision_recall_curve(found, truth, diameter_px).best_f1
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


def test_the_sample_data_open_in_napari(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ((pixels, attributes, kind),) = sample_data()
    assert kind == "image"
    assert pixels.shape == (4, 1024, 1024)
    assert attributes["scale"][-1] == pytest.approx(1.6)
