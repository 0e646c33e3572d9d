"""Contrast is even wherever the particles lie, and damage stays where it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_cryopick.imaging.normalise import CLIP, clip_outliers, normalise

SHAPE = (240, 300)
RADIUS_PX = 40


@pytest.fixture(scope="module")
def ice() -> NDArray[np.float32]:
    """Nothing but noise."""
    return np.random.default_rng(0).normal(100, 10, SHAPE).astype(np.float32)


def flatten(pixels: NDArray) -> NDArray[np.float32]:
    return normalise(clip_outliers(pixels), RADIUS_PX).numpy()


def distance(y: float, x: float) -> NDArray[np.float64]:
    rows, columns = np.indices(SHAPE)
    return np.hypot(rows - y, columns - x)


def changes(pixels: NDArray, ice: NDArray, where: NDArray[np.bool_]) -> NDArray:
    """How far the flat image is from that of undamaged ice."""
    return np.abs(flatten(pixels) - flatten(ice))[where]


def test_noise_becomes_noise_of_unit_spread(ice):
    flat = flatten(ice)
    assert flat.mean() == pytest.approx(0, abs=0.02)
    assert flat.std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(1e-3, 0), (7, 3000), (1e4, -2e6)])
def test_grey_levels_mean_nothing(ice, gain, offset):
    scaled = (ice.astype(float) * gain + offset).astype(np.float32)
    assert changes(scaled, ice, np.full(SHAPE, True)).max() < 0.05


@pytest.mark.parametrize("damage", [1e6, -1e6, 1e30, np.nan, np.inf, -np.inf])
def test_a_damaged_pixel_changes_nothing_but_itself(ice, damage):
    damaged = ice.copy()
    damaged[100, 150:153] = damage
    flat = flatten(damaged)
    assert np.isfinite(flat).all()
    assert np.abs(flat).max() <= CLIP
    assert changes(damaged, ice, distance(100, 151) > 1.5).max() < 0.05


def test_dead_rows_do_not_spoil_the_rest(ice):
    damaged = ice.copy()
    damaged[50:60] = np.nan
    away = np.ones(SHAPE, dtype=bool)
    away[50:60] = False
    assert np.median(changes(damaged, ice, away)) < 0.02


@pytest.mark.parametrize(("top", "left"), [(15, 10), (-15, 15)])
def test_illumination_may_fall_off(ice, top, left):
    y, x = np.indices(SHAPE)
    lit = (ice + top * y / SHAPE[0] + left * x / SHAPE[1]).astype(np.float32)
    assert np.percentile(changes(lit, ice, np.full(SHAPE, True)), 95) < 0.25


def test_contrast_may_fall_off(ice):
    thickness = np.linspace(1, 0.6, SHAPE[1], dtype=np.float32)
    flat = flatten(100 + (ice - 100) * thickness)
    assert flat[:, :60].std() == pytest.approx(flat[:, -60:].std(), rel=0.15)


@pytest.mark.parametrize("radius_px", [12, 25, 45])
@pytest.mark.parametrize("darkness", [80, 400])
def test_contrast_beside_an_ice_ball_is_that_of_clean_ice(ice, radius_px, darkness):
    r = distance(110, 140)
    dirty = ice - darkness * np.clip((radius_px - r) / 4, 0, 1)
    assert np.percentile(changes(dirty.astype(np.float32), ice, r > radius_px + 2), 95) < 0.25


def test_an_ice_ball_itself_is_as_dark_as_can_be(ice):
    r = distance(110, 140)
    flat = flatten((ice - 300 * (r < 30)).astype(np.float32))
    assert np.median(flat[r < 28]) == -CLIP


def test_an_area_without_any_signal_stays_finite(ice):
    half = ice.copy()
    half[:, :170] = 0
    assert np.isfinite(flatten(half)).all()


def test_the_pixels_given_are_left_alone(ice):
    damaged = ice.copy()
    damaged[3, 4] = np.inf
    before = damaged.copy()
    flatten(damaged)
    np.testing.assert_array_equal(damaged, before)


def test_a_few_good_pixels_are_enough_to_know_the_grey_levels():
    pixels = np.full((1100, 1100), np.nan, dtype=np.float32)
    pixels[1::2, 1::2] = np.random.default_rng(0).normal(100, 10, (550, 550))
    assert 80 < clip_outliers(pixels).median() < 120
    assert torch.isfinite(clip_outliers(pixels)).all()
