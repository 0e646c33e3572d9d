"""Simulated examples: small micrographs, as different as microscopes, grids and days are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from scipy import fft
from scipy.ndimage import gaussian_filter

from ..imaging.prepare import prepare
from ..labels import LabelClass, Labels
from ..micrograph import Micrograph
from ..model.threads import cores
from ..model.unet import PARTICLE_PX
from ..picks import Picks, Status
from ..simulation.micrograph import SimulatedMicrograph, simulate_micrograph
from ..simulation.parallel import map_in_order
from ..simulation.particle_model import ParticleModel
from ..simulation.settings import SimulationSettings
from ..simulation.synthetic import make_synthetic
from ..training.examples import Example
from ..training.patches import TrainingImage
from ..training.targets import CONTAMINATION

FINE_PX, WIDTH = 48, 16
"""Diameter of a particle in pixels while it is simulated, more than twice what a network sees, and
the edge of an example in diameters, more than twice that of a patch."""

CONTRAST = (0.4, 1.1)
"""Over the physical one: real particles stand out 0.6 to 0.7 times as clearly as simulated ones."""

EMPTY, PHASE_RANDOMISED = 0.15, 0.12
"""Shares of examples without any particle: with more of all else, or with random phases. Together
they halved the picks on empty micrographs (benchmarks/NOTES.md)."""

REWEIGHTED = 0.4
"""Share of examples whose frequencies are reweighted, as other people's programs do."""

FAINT, BROKEN, TEST_BROKEN = 0.3, 0.7, 0.1
"""Share of exposures of a few frames only, and broken particles for each whole one, at the most.
Examples to test on are what people pick: whole exposures, and few broken particles."""

DIAMETER_ERROR = (-0.2, 0.25)
"""Logarithm of a user's diameter over the true one, from 18 % too small to 28 % too large: such
errors in training raised the best F1 on every set (benchmarks/NOTES.md)."""


class Microscope(NamedTuple):
    """What is known of the microscope; an unknown voltage is 200 or 300 kV."""

    voltage_kilovolt: float | None = None
    defocus_angstrom: tuple[float, float] = (4_000.0, 32_000.0)


def make_examples(
    particles: Sequence[ParticleModel],
    count: int,
    seed: int,
    microscope: Microscope | None = None,
    synthetic: bool = True,
    test: bool = False,
) -> Iterator[Example]:
    """Yield examples of some particles in turn, every second one of a synthetic particle.

    The same seed gives the same ones on any machine. Without `particles` all are synthetic; those
    to `test` on are no harder than what people pick.
    """
    coarse = [one.coarser(one.diameter_angstrom / FINE_PX / 2) for one in particles]
    rngs = np.random.default_rng(seed).spawn(count)

    def make(job: tuple[int, Generator]) -> Example:
        number, rng = job
        if synthetic and not (coarse and number % 2):
            particle = make_synthetic(number, rng)
        else:
            particle = coarse[number // (1 + synthetic) % len(coarse)]
        example = make_example(particle, microscope or Microscope(), rng, test)
        return replace(example, path=Path(f"{number:05d} {particle.name}"))

    return map_in_order(make, enumerate(rngs), cores())


def make_example(
    particle: ParticleModel, microscope: Microscope, rng: Generator, test: bool = False
) -> Example:
    """Simulate a micrograph and prepare it with a diameter that is about right."""
    size = particle.diameter_angstrom / FINE_PX
    particle = particle.scaled(rng.uniform(*CONTRAST))
    settings = draw_settings(size, microscope, rng, test)
    particle = particle.with_axes(settings.preferred_views, rng)
    simulated = simulate_micrograph([particle], settings, rng)
    if rng.uniform() < PHASE_RANDOMISED:
        simulated = randomise_phases(simulated, rng)
    micrograph = simulated.micrograph
    if rng.uniform() <= REWEIGHTED:
        micrograph = reweight_frequencies(micrograph, rng)
    error = np.exp(rng.uniform(*DIAMETER_ERROR))
    image, rescaling, _ = prepare(micrograph, particle.diameter_angstrom * error, PARTICLE_PX)
    picks, classes = simulated.picks, simulated.labels.classes
    known = np.where(classes == LabelClass.CONTAMINATION, classes, LabelClass.UNKNOWN)
    return Example(
        Path(particle.name),
        micrograph.shape,
        size,
        image,
        rescaling,
        Picks.at(picks.positions[picks.statuses != Status.CONTAMINATION]),
        Labels(known),
        particle_px=PARTICLE_PX / error,
    )


def training_image(example: Example) -> TrainingImage:
    """Return image and target of an example, on which everything is known, contamination too."""
    target = example.target(example.particles, complete=True)
    target.weights[CONTAMINATION] = 1.0
    positions = example.rescaling.to_network(example.particles.positions)
    return TrainingImage.of(example.image, target, torch.from_numpy(positions).float())


def draw_settings(
    pixel_size_angstrom: float, microscope: Microscope, rng: Generator, test: bool = False
) -> SimulationSettings:
    """Draw the settings of one example; what they leave open the simulator draws."""
    voltage = microscope.voltage_kilovolt or rng.choice([200.0, 300.0])
    plate = rng.uniform() < 0.05
    few_frames = rng.uniform() < (0.0 if test else FAINT)
    dose = np.exp(rng.uniform(*np.log([1.0, 10.0]))) if few_frames else rng.uniform(15.0, 80.0)
    return SimulationSettings(
        count=1,
        shape=(WIDTH * FINE_PX, WIDTH * FINE_PX),
        pixel_size_angstrom=pixel_size_angstrom,
        voltage_kilovolt=voltage,
        defocus_angstrom=microscope.defocus_angstrom,
        astigmatism_angstrom=(0.0, 800.0),
        phase_shift_degrees=(20.0, 120.0) if plate else (0.0, 0.0),
        dose=(dose, dose),
        detector=rng.choice(["counting", "integrating"]),
        no_energy_filter=rng.uniform() < 0.4,
        illumination_falloff=(0.0, 0.3),
        ice_thickness_angstrom=(150.0, 700.0),
        gold_beads=0.1,
        **_draw_content(TEST_BROKEN if test else BROKEN, rng),
    )


def _draw_content(broken: float, rng: Generator) -> dict[str, Any]:
    """Draw what lies in the ice: particles and a little dirt, or dirt alone."""
    if rng.uniform() < EMPTY:
        return {
            "empty_micrographs": 1.0,
            "debris": (0.0, 40.0),
            "ice_balls": rng.uniform(0.0, 8.0),
            "carbon_edges": 0.3,
            "crystalline_ice": 0.4,
            "ice_variation": (0.001, 0.05),
        }
    return {
        "empty_micrographs": 0.0,
        "coverage": (0.3, 0.7) if rng.uniform() < 0.2 else (0.02, 0.5),
        "spacing": rng.uniform(0.6, 1.1),
        "overlapping": rng.uniform(0.0, 0.1),
        "orientations": "preferred" if rng.uniform() < 0.3 else "uniform",
        "fragments": rng.uniform(0.0, broken),
        "debris": (1.0, 25.0),
        "aggregates": 0.3,
        "ice_balls": 0.4,
        "carbon_edges": 0.06,
        "crystalline_ice": 0.06,
        "ice_variation": (0.001, 0.02),
    }


def randomise_phases(simulated: SimulatedMicrograph, rng: Generator) -> SimulatedMicrograph:
    """Return texture as strong at every frequency, without any particle or label."""
    pixels = simulated.micrograph.pixels
    pixels = pixels - gaussian_filter(pixels, 2 * FINE_PX)
    noise = fft.rfft2(rng.normal(size=pixels.shape))
    spectrum = np.abs(fft.rfft2(pixels)) * np.sign(noise)
    texture = fft.irfft2(spectrum, pixels.shape).astype(np.float32)
    nothing = Labels(np.zeros_like(simulated.labels.classes))
    micrograph = replace(simulated.micrograph, pixels=texture)
    return replace(simulated, micrograph=micrograph, picks=Picks.at([]), labels=nothing)


def reweight_frequencies(micrograph: Micrograph, rng: Generator) -> Micrograph:
    """Return the micrograph as if binned, denoised, sharpened or flattened by some program."""
    h, w = micrograph.shape
    per_diameter = FINE_PX * np.hypot(fft.fftfreq(h)[:, None], fft.rfftfreq(w))
    slope = np.clip(per_diameter, 0.5, PARTICLE_PX / 2) ** rng.uniform(-0.3, 0.3)
    smooth = rng.uniform(0.0, 2.2 / PARTICLE_PX) * (rng.uniform() < 0.5)
    flat = rng.uniform(0.1, 0.8) * (rng.uniform() < 0.5)
    kept = np.exp(-2 * (np.pi * smooth * per_diameter) ** 2)
    left = 1 - np.exp(-((per_diameter / max(flat, 1e-3)) ** 2))
    spectrum = slope * kept * left * fft.rfft2(micrograph.pixels)
    return replace(micrograph, pixels=fft.irfft2(spectrum, micrograph.shape).astype(np.float32))
