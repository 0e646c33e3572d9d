"""From a file's pixels to what the network sees."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from napari_cryopick import CryopickError
from napari_cryopick.imaging.prepare import Rescaling, prepare
from napari_cryopick.io import read_micrograph
from napari_cryopick.micrograph import Micrograph

PATH = Path("grid7/square_3.mrc")
COUNTS = np.random.default_rng(0).poisson(60, (200, 260))


def micrograph(pixels: np.ndarray = COUNTS, pixel_size_angstrom: float | None = 2.0) -> Micrograph:
    return Micrograph(pixels, pixel_size_angstrom, PATH)


def test_a_particle_has_the_size_the_network_was_trained_for():
    image, rescaling, _ = prepare(micrograph(), diameter_angstrom=80, particle_px=20)
    assert rescaling.factor == 0.5
    assert image.shape == (100, 130)


@pytest.mark.parametrize("dtype", [">f4", ">i2", "u1", "u2", ">u2", "i4", "f2", "f8"])
def test_every_type_of_pixel_gives_the_same_image(dtype):
    image, *_ = prepare(micrograph(COUNTS.astype(dtype)), 80, 20)
    expected, *_ = prepare(micrograph(COUNTS.astype(np.float32)), 80, 20)
    np.testing.assert_array_equal(image, expected)


def test_a_big_endian_file_on_disk_is_prepared_and_left_alone(tmp_path):
    path = tmp_path / "big_endian.mrc"
    with mrcfile.new(path, COUNTS.astype(">i2")) as mrc:
        mrc.voxel_size = 2.0
    before = path.read_bytes()
    image, *_ = prepare(read_micrograph(path), 80, 20)
    expected, *_ = prepare(micrograph(), 80, 20)
    np.testing.assert_array_equal(image, expected)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("bad", "diameter_angstrom", "complaint"),
    [
        (micrograph(np.full((200, 260), 3.0)), 80, "same value in every pixel"),
        (micrograph(np.full((200, 260), np.nan)), 80, "no finite pixel"),
        (micrograph(), 300, "spans 150 pixels at 2 Å, more than half"),
        (micrograph(), 1e9, "more than half"),
        (micrograph(), 5, "only 2.5 pixels"),
        (micrograph(pixel_size_angstrom=None), 80, "does not say its pixel size"),
        (micrograph(pixel_size_angstrom=0.001), 80, "check diameter and pixel size"),
    ],
)
def test_a_mistake_is_reported_in_one_sentence_with_the_file(bad, diameter_angstrom, complaint):
    with pytest.raises(CryopickError, match=complaint) as caught:
        prepare(bad, diameter_angstrom, 20)
    message = str(caught.value)
    assert str(PATH) in message
    assert message.endswith(".")
    assert "\n" not in message


COORDINATES = st.floats(-100, 20_000)


def blob(shape: tuple[int, int], centre: np.ndarray, sigma_px: float) -> Tensor:
    """A Gaussian whose centre is known to a fraction of a pixel."""
    y, x = (np.arange(n) - c for n, c in zip(shape, centre, strict=True))
    return torch.from_numpy(np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma_px**2))).float()


def centroid(image: Tensor) -> np.ndarray:
    values = image.double().numpy()
    return np.array([(grid * values).sum() for grid in np.indices(values.shape)]) / values.sum()


@settings(deadline=None)
@given(st.tuples(COORDINATES, COORDINATES), st.floats(4, 4000), st.floats(16, 30))
def test_a_point_goes_there_and_back(point, diameter_px, particle_px):
    rescaling = Rescaling(particle_px / diameter_px)
    back = rescaling.to_micrograph(rescaling.to_network(np.array([point])))
    np.testing.assert_allclose(back, [point], atol=0.05)


@pytest.mark.parametrize("factor", [0.1, 0.237, 1 / 3, 0.5, 0.81, 1.0, 1.7])
@pytest.mark.parametrize("shape", [(511, 640), (512, 333)])
@pytest.mark.parametrize("place", [(0.3, 0.62), (0.71, 0.7)])
def test_what_is_seen_lies_where_its_position_says(factor, shape, place):
    rescaling = Rescaling(factor)
    truth = np.array(shape) * place + (0.31, 0.77)
    seen = centroid(rescaling.shrink(blob(shape, truth, 2.2 / factor)))
    np.testing.assert_allclose(seen, rescaling.to_network(truth), atol=0.05)
    np.testing.assert_allclose(rescaling.to_micrograph(seen), truth, atol=0.05)


def test_a_particle_becomes_as_large_as_the_network_expects():
    rescaling = Rescaling(20 / 73)
    edges = rescaling.to_network(np.array([[100.0, 50.0], [100.0, 123.0]]))
    assert np.hypot(*(edges[1] - edges[0])) == pytest.approx(20)


@pytest.mark.parametrize("factor", [0.2, 0.37, 0.45])
def test_detail_finer_than_a_pixel_leaves_no_pattern(factor):
    checkerboard = torch.from_numpy(np.indices((300, 401)).sum(axis=0) % 2 * 2.0 - 1).float()
    assert Rescaling(factor).shrink(checkerboard).abs().max() < 0.03


@pytest.mark.parametrize("factor", [0.2, 0.37, 1.6])
def test_brightness_stays_as_it_is(factor):
    grey = torch.full((130, 171), 7.25)
    np.testing.assert_allclose(Rescaling(factor).shrink(grey), 7.25, rtol=1e-5)


def test_margins_do_not_count_and_are_zero():
    """Whatever they are filled with, the image is the same."""
    seen = []
    for fill in (0.0, 200.0, 30_000.0):
        pixels = COUNTS.astype(np.float32)
        pixels[:, :40] = fill
        image, _, margins = prepare(micrograph(pixels), 80, 20)
        assert margins is not None
        assert margins.image.shape == tuple(image.shape)
        assert (image[~torch.from_numpy(margins.image)] == 0).all()
        assert 18 <= (~margins.image).sum(axis=1).min() <= 23
        seen.append(image)
    for other in seen[1:]:
        torch.testing.assert_close(other, seen[0])
