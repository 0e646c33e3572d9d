"""How large the particles are, as the general model sees them."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.detection.diameter import estimate_diameter
from napari_cryopick.detection.events import DiameterProgress, DiameterResult
from napari_cryopick.micrograph import Micrograph
from napari_cryopick.simulation.simulate import simulate_example, write_mrc
from napari_cryopick.simulation.synthetic import example_particle

GENERAL = "general"


def simulated(folder: Path, diameter_angstrom: float) -> list[Path]:
    """Two small micrographs, about eight particles wide."""
    size = diameter_angstrom / 50
    how = {"shape": (400, 400), "pixel_size_angstrom": size, "ice_balls": 0}
    return simulate_example(
        folder, example_particle(diameter_angstrom), count=2, particles=20, **how
    )[0]


@pytest.mark.parametrize("diameter_angstrom", [90.0, 160.0, 320.0])
def test_an_estimate_is_within_a_quarter_of_the_truth(diameter_angstrom, tmp_path):
    *looks, estimate = estimate_diameter(simulated(tmp_path, diameter_angstrom), GENERAL)
    assert isinstance(estimate, DiameterResult)
    assert estimate.angstrom == pytest.approx(diameter_angstrom, rel=0.25)
    assert estimate.micrographs == 2
    assert estimate.particles > 3
    assert all(isinstance(look, DiameterProgress) for look in looks)
    assert [look.index for look in looks] == list(range(looks[0].total))
    assert looks[-1].seconds_left == 0


def test_an_estimate_rests_on_the_micrographs_that_can_be_used(tmp_path):
    paths = simulated(tmp_path, 160.0)
    bad = [tmp_path / f"{name}.mrc" for name in ("cut", "blank", "gone")]
    bad[0].write_bytes(paths[0].read_bytes()[:5000])
    write_mrc(bad[1], Micrograph(np.zeros((300, 300), np.float32), 3.2))
    *_, estimate = estimate_diameter([bad[0], *paths, *bad[1:]], GENERAL)
    assert isinstance(estimate, DiameterResult)
    assert estimate.micrographs == 2
    assert estimate.angstrom == pytest.approx(160, rel=0.25)
    with pytest.raises(CryopickError, match=r"cut.mrc is cut short"):
        list(estimate_diameter(bad, GENERAL))


def test_micrographs_without_particles_give_no_estimate(tmp_path):
    noise = np.random.default_rng(0).normal(10, 2, (300, 300)).astype(np.float32)
    path = tmp_path / "empty.mrc"
    write_mrc(path, Micrograph(noise, 2.0))
    with pytest.raises(CryopickError, match="No particles of any size were found"):
        list(estimate_diameter([path], GENERAL))


def test_a_pixel_size_given_goes_before_the_files(tmp_path):
    paths = simulated(tmp_path, 160.0)
    *_, estimate = estimate_diameter(paths, GENERAL, pixel_size_angstrom=1.6)
    assert isinstance(estimate, DiameterResult)
    assert estimate.angstrom == pytest.approx(80, rel=0.25)


def test_stop_ends_after_the_look_in_hand(tmp_path):
    stop = Event()
    events = []
    for event in estimate_diameter(simulated(tmp_path, 160.0), GENERAL, stop=stop):
        events.append(event)
        stop.set()
    assert [event.index for event in events] == [0]
