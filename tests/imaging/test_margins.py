"""Margins without image, and images that look a little like them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter, rotate

from napari_cryopick.imaging.margins import find_margins
from napari_cryopick.io import find_micrographs, read_micrograph

SHAPE = (440, 520)


def micrograph(seed: int = 0) -> np.ndarray:
    """Draw particles, noise and uneven illumination."""
    rng = np.random.default_rng(seed)
    particles = gaussian_filter((rng.random(SHAPE) < 0.002).astype(float), 6) * -600
    return rng.poisson(100 + 5 * particles + 40 * np.linspace(0, 1, SHAPE[1])).astype(np.float32)


def filled(image: np.ndarray, kind: str, depths: tuple[int, int, int, int]) -> np.ndarray:
    """Replace rows and columns at the top, bottom, left and right."""
    top, bottom, left, right = depths
    inner = image[top : SHAPE[0] - bottom, left : SHAPE[1] - right]
    padding = ((top, bottom), (left, right))
    if kind in {"edge", "symmetric", "reflect"}:
        return np.pad(inner, padding, mode=kind)
    value = {"zero": 0.0, "mean": inner.mean(), "maximum": inner.max()}[kind]
    return np.pad(inner, padding, constant_values=value)


def as_bytes(image: np.ndarray) -> np.ndarray:
    low, high = np.percentile(image, [0.1, 99.9])
    return ((image - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)


def as_jpeg(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(as_bytes(image)).save(file, "JPEG", quality=85)
    return np.asarray(Image.open(file))


def depths(image: np.ndarray) -> tuple[int, ...]:
    margins = find_margins(image)
    return margins.depths_px if margins else (0, 0, 0, 0)


KINDS = ("zero", "mean", "maximum", "edge", "symmetric", "reflect")
depth = st.one_of(st.just(0), st.integers(5, 100))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.tuples(depth, depth, depth, depth), st.integers(0, 50))
def test_margins_are_found_on_every_side_however_they_are_filled(kind, expected, seed):
    found = depths(filled(micrograph(seed), kind, expected))
    np.testing.assert_allclose(found, expected, atol=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("stored", "tolerance_px"),
    [
        (as_bytes, 2),
        (as_jpeg, 9),
        (lambda image: image.astype(np.uint16), 2),
        (lambda image: gaussian_filter(image, 1), 5),
        (lambda image: image + np.random.default_rng(1).normal(0, 0.1, SHAPE), 2),
    ],
    ids=["bytes", "JPEG", "uint16", "smoothed", "a little noise"],
)
def test_margins_are_found_in_every_type_of_pixel(
    kind: str, stored: Callable[[np.ndarray], np.ndarray], tolerance_px: int
):
    expected = (40, 0, 25, 60)
    found = depths(stored(filled(micrograph(), kind, expected)))
    np.testing.assert_allclose(found, expected, atol=tolerance_px)


@pytest.mark.parametrize("kind", ["zero", "edge", "symmetric"])
def test_margins_are_found_in_a_binned_micrograph(kind):
    image = filled(micrograph(), kind, (40, 20, 0, 60))
    binned = image.reshape(SHAPE[0] // 2, 2, SHAPE[1] // 2, 2).mean((1, 3))
    np.testing.assert_allclose(depths(binned), (20, 10, 0, 30), atol=2)


def test_pixels_without_a_value_are_a_margin():
    image = micrograph()
    image[:30] = np.nan
    assert depths(image) == pytest.approx((30, 0, 0, 0), abs=2)


@pytest.mark.parametrize("blank", [0.0, 130.0])
def test_blank_corners_of_a_rotated_frame_are_found(blank):
    turned = rotate(micrograph(), 5, reshape=False, order=1, cval=np.nan)
    frame = np.isfinite(turned)
    margins = find_margins(np.where(frame, turned, blank))
    assert margins is not None
    assert margins.image[~frame].mean() < 0.2
    assert margins.image[frame].mean() > 0.98


def round_ice(image: np.ndarray) -> np.ndarray:
    """Put a saturated ice ball over a corner, another one over an edge."""
    y, x = np.indices(SHAPE)
    near = (np.hypot(y, x) < 150) | (np.hypot(y - SHAPE[0], x - 300) < 90)
    return np.where(near, 255, image)


@pytest.mark.parametrize(
    "unlike",
    [
        lambda image: image,
        lambda image: gaussian_filter(image, 2),
        lambda image: as_bytes(gaussian_filter(image, 6)),
        lambda image: as_jpeg(gaussian_filter(image, 4)),
        lambda image: image * np.linspace(0.05, 1, SHAPE[1]),
        lambda image: image + 100 * (np.arange(SHAPE[1]) > 400),
        lambda image: image + np.random.default_rng(1).normal(0, 10, SHAPE[1]),
        round_ice,
    ],
    ids=["noise", "smooth", "smooth bytes", "smooth JPEG", "dark", "carbon", "stripes", "ice"],
)
@pytest.mark.parametrize("seed", range(3))
def test_all_of_an_image_is_image(unlike: Callable[[np.ndarray], np.ndarray], seed: int):
    assert find_margins(unlike(micrograph(seed))) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (20, 20), (64, 64), (64, 700)])
def test_small_images_are_no_problem(shape):
    assert find_margins(np.random.default_rng(0).normal(size=shape)) is None


@pytest.mark.parametrize("folder", ["apoferritin", "apoferritin_single_frame", "t20s_proteasome"])
def test_real_micrographs_without_margins_have_none(shared_data, folder):
    for path in find_micrographs([shared_data / folder / "micrographs"])[::3]:
        assert find_margins(read_micrograph(path).pixels) is None, path.name


def test_replicated_margins_of_real_micrographs_are_found(shared_data):
    for path in find_micrographs([shared_data / "beta_galactosidase" / "micrographs"])[::4]:
        found = depths(read_micrograph(path).pixels)
        np.testing.assert_allclose(found, (78, 92, 60, 102), atol=4)
