from __future__ import annotations

from threading import Event
from time import process_time

import mrcfile
import numpy as np
import pytest
import yaml
from PIL import Image
from pydantic import ValidationError
from scipy import ndimage

from napari_cryopick import CryopickError
from napari_cryopick.io import match_picks, read_micrograph, read_picks
from napari_cryopick.labels import LabelClass
from napari_cryopick.picks import Status
from napari_cryopick.settings import BORDER
from napari_cryopick.simulation import parallel
from napari_cryopick.simulation.field import KIND
from napari_cryopick.simulation.micrographs import make_micrographs, read_body, simulate
from napari_cryopick.simulation.settings import MicrographSettings

SMALL = MicrographSettings(
    count=2, shape=(300, 400), pixel_size_angstrom=3.0, particles=15, empty_fields=0
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


def test_other_seeds_differ_and_a_field_does_not_depend_on_how_many_there_are(blob):
    first, second = make_micrographs([blob], SMALL)
    alone = next(make_micrographs([blob], changed(SMALL, count=1)))
    other = next(make_micrographs([blob], changed(SMALL, seed=1)))
    assert (first.micrograph.pixels == alone.micrograph.pixels).all()
    for field in (second, other):
        assert (first.micrograph.pixels != field.micrograph.pixels).any()
        assert first.picks.positions.tolist() != field.picks.positions.tolist()


def test_the_dose_is_conserved(blob):
    settings = changed(CLEAN, dose=(40, 40), particles=0, ice_thickness_angstrom=(1, 1))
    settings = changed(settings, ice_undulation=(0, 0))
    field = next(make_micrographs([blob], settings))
    assert field.micrograph.pixels.mean() == pytest.approx(40 * 9 * 0.8, rel=0.01)


def test_thick_ice_costs_electrons_if_they_are_filtered(blob):
    def mean(**values):
        settings = changed(CLEAN, dose=(40, 40), ice_thickness_angstrom=(2000, 2000), **values)
        return next(make_micrographs([blob], settings)).micrograph.pixels.mean()

    assert mean(unfiltered=False) / mean(unfiltered=True) == pytest.approx(0.6, abs=0.05)


def test_particles_are_dark_and_where_their_centres_say(blob):
    settings = changed(
        CLEAN, count=3, dose=(2000, 2000), defocus_angstrom=(15_000, 15_000), b_factor=(0, 0)
    )
    for field in make_micrographs([blob], settings):
        inside = field.labels.classes == LabelClass.PARTICLE
        pixels = field.micrograph.pixels
        assert pixels[inside].mean() < pixels[~inside].mean()
        centres = np.round(field.picks.with_status(Status.OK).positions).astype(int)
        assert len(centres) > 8
        to_shadow = ndimage.distance_transform_edt(~inside)
        assert to_shadow[tuple(centres.T)].max() <= 2


def test_the_centre_of_each_shadow_is_the_centre_of_its_particle(blob):
    settings = changed(CLEAN, count=1, particles=8, spacing=1.3, clustering=(0, 0), overlapping=0)
    field = next(make_micrographs([blob], settings))
    components, _ = ndimage.label(field.labels.classes == LabelClass.PARTICLE)
    whole = field.picks.with_status(Status.OK).positions
    away = blob.radius_angstrom / settings.pixel_size_angstrom
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
    for field in make_micrographs([blob], settings):
        classes, picks = field.labels.classes, field.picks
        assert classes.shape == field.micrograph.shape == (300, 400)
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


def test_empty_fields_hold_nothing_to_pick(blob):
    field = next(make_micrographs([blob], changed(CLEAN, empty_fields=1)))
    assert len(field.picks) == 0
    assert (field.labels.classes == LabelClass.BACKGROUND).all()
    assert field.micrograph.pixels.std() > 0


def test_coverage_decides_how_many_there_are(blob):
    settings = changed(CLEAN, particles=None, coverage=(0.3, 0.3), spacing=0, shape=(1000, 1000))
    field = next(make_micrographs([blob], settings))
    disc = np.pi / 4 * blob.diameter_angstrom**2
    assert len(field.picks) == pytest.approx(0.3 * settings.field_square_angstrom / disc, rel=0.1)


def test_structures_come_one_after_the_other_or_mixed(blob, half_ring_pdb):
    ring = read_body(half_ring_pdb, SMALL)
    fields = list(make_micrographs([blob, ring], changed(SMALL, count=3)))
    assert [field.structures for field in fields] == [("blob",), ("ring",), ("blob",)]
    mixed = next(make_micrographs([blob, ring], changed(SMALL, mixed=True)))
    assert mixed.structures == ("blob", "ring")
    assert set(mixed.picks.extra[KIND]) == {1, 2}


def test_preferred_orientations_look_alike(half_ring_pdb):
    ring = read_body(half_ring_pdb, SMALL)
    settings = changed(CLEAN, orientations="preferred", preferred_views=1, preferred_share=1)
    settings = changed(settings, preferred_spread_degrees=0, spacing=1.5)
    field = next(make_micrographs([ring], settings))
    components, count = ndimage.label(field.labels.classes == LabelClass.PARTICLE)
    areas = [
        (components == components[tuple(centre)]).sum()
        for centre in np.round(field.picks.with_status(Status.OK).positions).astype(int)
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
    for path, event, field in zip(paths, events, make_micrographs([blob], SMALL), strict=True):
        assert mrcfile.validate(path)
        micrograph = read_micrograph(path)
        assert (micrograph.pixels == field.micrograph.pixels).all()
        assert micrograph.pixel_size_angstrom == pytest.approx(3)
        whole = field.picks.with_status(Status.OK).positions
        assert event.particles == len(whole)
        np.testing.assert_allclose(read[path].positions, whole, atol=1e-3)
        mask = np.asarray(Image.open(tmp_path / "masks" / f"{path.stem}.png"))
        assert (mask == field.labels.classes).all()
    settings = yaml.safe_load((tmp_path / "settings.yaml").read_text())
    assert settings["structures"][0]["name"] == "blob"
    names = MicrographSettings.model_fields
    again = MicrographSettings(**{key: settings[key] for key in names})
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
        read_body(tmp_path / "a.txt", SMALL)
    with pytest.raises(ValidationError, match="least and then the greatest"):
        changed(SMALL, dose=(40, 30))
    with pytest.raises(ValidationError, match="two values below 1"):
        changed(SMALL, illumination_falloff=(0, 1))


def test_what_fails_in_a_thread_is_raised(blob, monkeypatch):
    def fail(item):
        raise CryopickError("no")

    with pytest.raises(CryopickError, match="no"):
        list(parallel.in_turn(fail, range(4), 2))
    assert list(parallel.in_turn(str, range(5), 2)) == list("01234")


def test_a_field_of_a_million_pixels_takes_less_than_three_seconds(blob):
    settings = changed(SMALL, count=1, shape=(1024, 1024), particles=75)
    start = process_time()
    next(make_micrographs([blob], settings))
    assert process_time() - start < 3
