"""Boxes around particles: where they are, what is in them, and which are left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryopick.imaging.particles import cut_particles, normalise_particles
from napari_cryopick.io import match_picks, read_micrograph, read_picks

NOISE = np.random.default_rng(0).normal(100, 5, (230, 310)).astype(np.float32)
FRACTION = st.floats(-0.5, 0.5)


def spot(shape: tuple[int, int], centre: tuple[float, float], sigma_px: float) -> np.ndarray:
    """A round particle, which is dark."""
    y, x = (np.arange(n) - c for n, c in zip(shape, centre, strict=True))
    return -10 * np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma_px**2))


@settings(deadline=None, max_examples=40)
@given(FRACTION, FRACTION, st.integers(16, 41), st.floats(0.7, 5))
def test_a_particle_between_pixels_lies_at_the_centre_of_its_box(down, right, size, step):
    centres = np.array([(111 + down, 153 + right)])
    particle = spot(NOISE.shape, centres[0], 2 * step)
    (empty,), _ = cut_particles(NOISE, centres, size * step, size)
    (full,), inside = cut_particles(NOISE + particle, centres, size * step, size)
    assert inside.all()
    seen = (full - empty).astype(float)
    found = [(grid * seen).sum() / seen.sum() for grid in np.indices(seen.shape)]
    np.testing.assert_allclose(found, size // 2, atol=0.05)


@settings(deadline=None, max_examples=20)
@given(FRACTION, FRACTION, st.integers(16, 41), st.integers(1, 4))
def test_binning_and_shifting_keep_what_fits_the_pixels(down, right, size, step):
    """A wave that the binned pixels just resolve keeps its height and its place."""
    x = np.indices(NOISE.shape)[1]
    period = 3 * step
    (box,), _ = cut_particles(
        np.sin(2 * np.pi * x / period), np.array([(111 + down, 153 + right)]), size * step, size
    )
    expected = np.sin(2 * np.pi * ((np.arange(size) - size // 2) * step + 153 + right) / period)
    inner = slice(4, -4)
    np.testing.assert_allclose(box[inner, inner].mean(axis=0), expected[inner], atol=0.06)


def test_whole_pixels_are_cut_as_they_are():
    (box,), _ = cut_particles(NOISE, np.array([[100, 200]]), 64, 64)
    np.testing.assert_allclose(box, NOISE[68:132, 168:232], atol=1e-3)


@pytest.mark.parametrize("dtype", [">f4", "i1", "u2", ">i2", "f2"])
def test_pixels_may_be_of_any_type(dtype):
    pixels = NOISE.astype(dtype)
    (box,), _ = cut_particles(pixels, np.array([[100, 200]]), 64, 64)
    assert box.dtype == np.float32
    np.testing.assert_allclose(box, pixels[68:132, 168:232], atol=1e-3)


@pytest.mark.parametrize(
    ("centre", "expected"),
    [
        ((32, 32), True),
        ((198, 278), True),
        ((31, 100), False),
        ((100, 31), False),
        ((199, 100), False),
        ((100, 279), False),
        ((-500, 100), False),
    ],
)
def test_a_box_that_leaves_the_micrograph_is_left_out(centre, expected):
    boxes, inside = cut_particles(NOISE, np.array([(100, 100), centre]), 64, 32)
    assert inside.tolist() == [True, expected]
    assert boxes.shape == (1 + expected, 32, 32)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.one_of(st.integers(1, 9), st.floats(0.3, 9)), st.floats(-0.49, 0.49))
def test_a_box_may_end_where_the_micrograph_ends(size, step, shift):
    box_px = min(size * step, 200)
    ends = [(edge - box_px / 2 for edge in NOISE.shape), (box_px / 2, box_px / 2)]
    boxes, inside = cut_particles(NOISE, np.array([[*each] for each in ends]) + shift, box_px, size)
    assert inside.any()
    assert boxes.shape == (inside.sum(), size, size)
    assert 60 < boxes.min() < boxes.max() + 1 < 140


def test_a_box_that_reaches_into_a_margin_is_left_out():
    pixels = NOISE.copy()
    pixels[:, :40] = 0
    boxes, inside = cut_particles(pixels, np.array([(100, 70), (100, 80)]), 64, 32)
    assert inside.tolist() == [False, True]
    assert boxes.min() > 70


def test_without_particles_there_are_no_boxes():
    boxes, inside = cut_particles(NOISE, np.empty((0, 2)), 64, 32)
    assert boxes.shape == (0, 32, 32)
    assert inside.shape == (0,)


def test_broken_pixels_do_not_spread():
    pixels = NOISE.copy()
    pixels[95, 195], pixels[105, 205] = np.nan, 1e6
    (box,), _ = cut_particles(pixels, np.array([[100, 200]]), 64, 64)
    assert np.isfinite(box).all()
    assert box.max() < 200


def test_the_background_has_mean_0_and_deviation_1_and_particles_are_bright():
    slope = np.add.outer(0.3 * np.arange(64), -0.2 * np.arange(64))
    noise = np.random.default_rng(1).normal(0, 3, (2, 64, 64))
    boxes = (100 + spot((64, 64), (32, 32), 6) + slope + noise).astype(np.float32)
    bright = normalise_particles(boxes, 24)
    y, x = np.indices((64, 64)) - 32
    background = np.hypot(y, x) > 24
    np.testing.assert_allclose(bright[:, background].mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(bright[:, background].std(axis=1), 1, atol=1e-4)
    assert (bright[:, 30:35, 30:35].mean(axis=(1, 2)) > 2).all()
    assert abs(np.corrcoef(slope[background], bright[0, background])[0, 1]) < 1e-3
    assert bright.dtype == np.float32


def test_a_blank_box_is_no_error():
    assert (normalise_particles(np.full((1, 32, 32), 7, dtype=np.float32), 12) == 0).all()


def test_real_particles_have_a_round_bright_average(shared_data):
    folder = shared_data / "apoferritin"
    micrographs = sorted(folder.glob("micrographs/*.mrc"))[:2]
    picks = match_picks(read_picks(folder / "particles.star"), micrographs)
    boxes = [
        cut_particles(read_micrograph(path).pixels, one.positions, 128, 64)[0]
        for path, one in picks.items()
    ]
    average = normalise_particles(np.concatenate(boxes), 24).mean(axis=0)
    y, x = np.indices(average.shape) - 32
    radius, sector = np.hypot(y, x), np.arctan2(y, x) // (np.pi / 4)
    shell = [average[(sector == n) & (radius > 12) & (radius < 18)].mean() for n in range(-4, 4)]
    assert max(shell) < 1.3 * min(shell)
    assert min(shell) > 0.4
