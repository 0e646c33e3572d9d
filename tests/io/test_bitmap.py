"""PNG and JPEG micrographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_cryopick import CryopickError
from napari_cryopick.io import read_header, read_micrograph

RAMP = np.add.outer(np.arange(72), np.arange(80))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_grey_png_is_exact(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.png"
    pixels = (RAMP * (1 if dtype == "u1" else 300)).astype(dtype)
    Image.fromarray(pixels).save(path)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)
    assert read_micrograph(path).pixels.dtype == read_header(path).dtype == dtype
    assert read_micrograph(path).pixel_size_angstrom is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_colour_turns_grey(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP.astype("u1")).convert(mode).save(path)
    np.testing.assert_allclose(read_micrograph(path).pixels, RAMP, atol=1)
    assert read_header(path).shape == RAMP.shape


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_jpeg(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(RAMP.astype("u1")).convert("RGB").save(path, quality=95)
    np.testing.assert_allclose(read_micrograph(path).pixels, RAMP, atol=8)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_truncated_file_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    noise = np.random.default_rng(3).integers(0, 255, RAMP.shape, "u1")
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CryopickError, match=rf"{path} cannot be read as a micrograph"):
        read_micrograph(path)


def test_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("not a picture")
    with pytest.raises(CryopickError, match=rf"{path} cannot be read as a micrograph"):
        read_micrograph(path)


def test_more_pixels_than_a_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP.astype("u1")).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", RAMP.size - 1)
    assert read_micrograph(path).shape == RAMP.shape


def test_a_real_jpeg(shared_data: Path) -> None:
    folder = shared_data / "beta_galactosidase" / "micrographs"
    path = folder / "Falcon_2012_06_12-14_33_35_0.jpg"
    assert read_micrograph(path).shape == read_header(path).shape == (4096, 4096)
