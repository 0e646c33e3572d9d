"""Predicting a folder of micrographs, good ones and bad ones."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from threading import Event

import mrcfile
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from napari_cryopick import CryopickError
from napari_cryopick.detection import PredictSettings
from napari_cryopick.detection.events import Predicted
from napari_cryopick.detection.predict import predict_many
from napari_cryopick.io import read_micrograph
from napari_cryopick.micrograph import Failed
from napari_cryopick.model.card import ModelCard
from napari_cryopick.model.unet import ARCHITECTURES
from napari_cryopick.model.weights import Model, save_weights

NOISE = np.random.default_rng(0).normal(100, 10, (120, 150)).astype(np.float32)


def write(path: Path, pixels: np.ndarray = NOISE, pixel_size_angstrom: float = 2.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mrcfile finds NaN and infinity odd
        with mrcfile.new(path, pixels) as mrc:
            mrc.voxel_size = pixel_size_angstrom
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Weights that nobody has trained: they see something everywhere."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "untrained.safetensors"
    card = ModelCard(architecture="compact", particle_px=20, threshold=0.1)
    save_weights(path, Model(ARCHITECTURES["compact"]().eval(), card))
    return path


@pytest.fixture
def settings(model) -> PredictSettings:
    return PredictSettings(diameter_angstrom=40, model=str(model), device="cpu")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("data_particles\n\nloop_\n" * 200)


def truncated(path: Path) -> None:
    path.write_bytes(write(path).read_bytes()[:-5000])


def headless(path: Path) -> None:
    path.write_bytes(write(path).read_bytes()[:500])


def volume(path: Path) -> None:
    write(path, np.zeros((9, 80, 80), np.float32))


def tiny(path: Path) -> None:
    write(path, NOISE[:16, :16])


def constant(path: Path) -> None:
    write(path, np.full((120, 150), 5, np.int16))


def all_nan(path: Path) -> None:
    write(path, np.full((120, 150), np.nan, np.float32))


def no_pixel_size(path: Path) -> None:
    write(path, pixel_size_angstrom=0.0)


def dummy_pixel_size(path: Path) -> None:
    write(path, pixel_size_angstrom=1.0)


def enormous_pixels(path: Path) -> None:
    write(path, pixel_size_angstrom=500.0)


def minute_pixels(path: Path) -> None:
    write(path, pixel_size_angstrom=0.01)


def missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        *(nothing, text, truncated, headless, volume, tiny, constant, all_nan, no_pixel_size),
        *(dummy_pixel_size, enormous_pixels, minute_pixels, missing, folder),
    ],
)
def test_a_bad_micrograph_is_reported_and_the_others_get_done(
    spoil: Callable[[Path], None], tmp_path, settings
):
    paths = [write(tmp_path / "a.mrc"), tmp_path / "bad.mrc", write(tmp_path / "c.mrc")]
    spoil(paths[1])
    before, bad, after = predict_many(paths, settings)
    assert isinstance(before, Predicted)
    assert isinstance(after, Predicted)
    assert isinstance(bad, Failed)
    assert str(paths[1]) in bad.message
    assert bad.message.endswith(".")
    assert "\n" not in bad.message
    assert [event.index for event in (before, bad, after)] == [0, 1, 2]
    assert [event.path for event in (before, bad, after)] == paths
    assert bad.total == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_micrograph_that_does_not_fit_into_memory_is_reported(tmp_path, settings):
    import resource

    small, large = write(tmp_path / "small.mrc"), write(tmp_path / "large.mrc")
    with large.open("r+b") as file:
        file.write(np.array([16_000, 16_000], "<i4").tobytes())
        file.truncate(1024 + 4 * 16_000**2)
    list(predict_many([small], settings))
    before = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + 1_300_000_000, before[1]))
    try:
        failed, predicted = predict_many([large, small], settings)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert isinstance(failed, Failed)
    assert failed.message.startswith(f"{large} cannot be predicted: Unable to allocate")
    assert isinstance(predicted, Predicted)


def test_nan_infinity_and_hot_pixels_are_no_reason_to_fail(tmp_path, settings):
    damaged = NOISE.copy()
    damaged[5, 5:9] = np.nan, np.inf, -np.inf, 1e9
    (event,) = predict_many([write(tmp_path / "a.mrc", damaged)], settings)
    assert isinstance(event, Predicted)
    assert np.isfinite(event.maps.centre).all()
    assert np.isfinite(event.picks.positions).all()


def test_an_event_holds_all_there_is_to_show(tmp_path, settings):
    (event,) = predict_many([write(tmp_path / "a.mrc")], settings)
    assert isinstance(event, Predicted)
    assert len(event.picks) > 0
    assert (event.picks.positions > -1).all()
    assert (event.picks.positions < NOISE.shape).all()
    assert event.maps.scale == 1
    for name in ("area", "centre", "contamination"):
        probability = getattr(event.maps, name)
        assert probability.shape == NOISE.shape
        assert probability.min() >= 0
        assert probability.max() <= 1
    assert event.threshold == 0.1
    np.testing.assert_array_equal(event.micrograph.pixels, read_micrograph(event.path).pixels)


def test_the_threshold_asked_for_goes_before_the_models(tmp_path, settings):
    path = write(tmp_path / "a.mrc")

    def scores(threshold: float | None) -> np.ndarray:
        asked = settings.model_copy(update={"threshold": threshold})
        (event,) = predict_many([path], asked)
        assert isinstance(event, Predicted)
        return event.picks.scores

    every = scores(0.0)
    middle = float(np.median(every))
    np.testing.assert_array_equal(scores(None), every[every >= 0.1])
    np.testing.assert_array_equal(scores(middle), every[every >= middle])
    assert len(scores(1.0)) == 0


def test_micrographs_may_differ_in_shape_and_pixel_size(tmp_path, settings):
    fine = np.kron(NOISE, np.ones((2, 2), np.float32))
    paths = [write(tmp_path / "a.mrc"), write(tmp_path / "b.mrc", fine, 1.0001)]
    coarse, finer = predict_many(paths, settings)
    assert isinstance(coarse, Predicted)
    assert isinstance(finer, Predicted)
    assert finer.maps.scale == pytest.approx(coarse.maps.scale / 2, rel=1e-3)


def test_a_pixel_size_given_goes_before_the_files(tmp_path, settings):
    asked = settings.model_copy(update={"pixel_size_angstrom": 1.0})
    (event,) = predict_many([write(tmp_path / "a.mrc")], asked)
    assert isinstance(event, Predicted)
    assert event.maps.scale == 0.5


def test_namesakes_in_two_folders_are_two_micrographs(tmp_path, settings):
    paths = [
        write(tmp_path / grid / "a.mrc", NOISE[:, ::step]) for grid, step in (("1", 1), ("2", -1))
    ]
    assert [event.path for event in predict_many(paths, settings)] == paths


def test_a_batch_gives_what_each_alone_gives(tmp_path, settings):
    paths = [write(tmp_path / "a.mrc"), write(tmp_path / "b.mrc", NOISE[::-1].copy())]
    together = list(predict_many(paths, settings))
    for event in together:
        (alone,) = predict_many([event.path], settings)
        assert isinstance(event, Predicted)
        assert isinstance(alone, Predicted)
        np.testing.assert_array_equal(event.picks.positions, alone.picks.positions)
        np.testing.assert_array_equal(event.picks.scores, alone.picks.scores)


def test_stop_ends_after_the_micrograph_in_hand(tmp_path, settings):
    paths = [write(tmp_path / name) for name in ("a.mrc", "b.mrc", "c.mrc")]
    stop = Event()
    done = []
    for event in predict_many(paths, settings, stop):
        done.append(event.path)
        stop.set()
    assert done == paths[:1]
    assert list(predict_many(paths, settings, stop)) == []


@pytest.mark.parametrize("wrong", [{"model": "nothing_of_this_name"}, {"device": "abacus"}])
def test_without_model_or_device_nothing_is_begun(tmp_path, settings, wrong):
    asked = settings.model_copy(update=wrong)
    with pytest.raises(CryopickError, match="|".join(wrong.values())):
        next(iter(predict_many([write(tmp_path / "a.mrc")], asked)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"diameter_angstrom": 0},
        {"diameter_angstrom": -100},
        {"pixel_size_angstrom": 0},
        {"pixel_size_angstrom": -1},
        {"threshold": 1.5},
        {"min_distance": 0},
        {"diametr": 3},
    ],
)
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        PredictSettings(**{"diameter_angstrom": 100} | wrong)
