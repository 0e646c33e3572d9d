"""Lesson after lesson: simulated micrographs of many particles, as a network asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter

from ..imaging.prepare import prepare
from ..labels import LabelClass, Labels
from ..micrograph import Micrograph
from ..model.unet import PARTICLE_PX
from ..picks import Picks, Status
from ..simulation.micrograph import SimulatedMicrograph, simulate_micrograph
from ..simulation.parallel import cores, map_in_order
from ..simulation.particle_model import ParticleModel
from ..simulation.synthetic import make_synthetic
from ..training.examples import Example
from ..training.holdout import EVERYTHING
from ..training.patches import TrainingImage
from ..training.targets import CONTAMINATION, labelled_target
from .conditions import CONTRAST, FINE_PX, draw_settings
from .settings import Conditions

MISJUDGED = (-0.2, 0.25)
"""Logarithm of the ratio of a person's diameter to the true one: many a person is generous."""

SCRAMBLED = 0.12
"""Share of lessons in which only the power of each frequency is left of what was there."""

_PROCESSED = 0.4
"""Share of lessons whose frequencies are weighed anew."""


def make_lesson(
    body: ParticleModel, conditions: Conditions, rng: np.random.Generator, usual: bool = False
) -> Example:
    """Simulate a small micrograph, and have it looked at with a diameter about right."""
    size = body.diameter_angstrom / FINE_PX
    faint = body.scaled(rng.uniform(*CONTRAST))
    settings = draw_settings(size, conditions, rng, usual)
    field = simulate_micrograph([faint.with_axes(settings.preferred_views, rng)], settings, rng)
    if rng.uniform() < SCRAMBLED:
        field = _scrambled(field, rng)
    micrograph = _processed(field.micrograph, rng)
    misjudged = np.exp(rng.uniform(*MISJUDGED))
    image, rescaling = prepare(micrograph, body.diameter_angstrom * misjudged, PARTICLE_PX)
    picks = Picks.at(field.picks.positions[field.picks.statuses != Status.CONTAMINATION])
    return Example(
        Path(body.name),
        micrograph.shape,
        size,
        image,
        rescaling,
        picks,
        _contamination(field.labels),
        particle_px=PARTICLE_PX / misjudged,
    )


def taught(lesson: Example) -> TrainingImage:
    """What a network learns of it: everything is known, contamination too."""
    assert lesson.picks is not None
    target = labelled_target(
        lesson.map_shape,
        lesson.picks,
        lesson.rescaling,
        lesson.particle_px,
        complete=True,
        labels=lesson.labels,
        border=lesson.border,
    )
    target.weights[CONTAMINATION] = 1.0
    positions = lesson.rescaling.to_network(lesson.picks.positions)
    return TrainingImage.of(lesson.image, target, torch.from_numpy(positions).float())


def judging(lesson: Example) -> Example:
    """The same, to judge by all of it."""
    return replace(lesson, held_out=EVERYTHING)


def _scrambled(field: SimulatedMicrograph, rng: np.random.Generator) -> SimulatedMicrograph:
    """Texture as fine and as strong at every frequency, and no particle in it."""
    pixels = field.micrograph.pixels - gaussian_filter(field.micrograph.pixels, 2 * FINE_PX)
    noise = fft.rfft2(rng.normal(size=pixels.shape))
    spectrum = np.abs(fft.rfft2(pixels)) * np.sign(noise)
    texture = fft.irfft2(spectrum, pixels.shape).astype(np.float32)
    nothing = Labels(np.zeros_like(field.labels.classes))
    micrograph = replace(field.micrograph, pixels=texture)
    return replace(field, micrograph=micrograph, picks=Picks.at([]), labels=nothing)


def _processed(micrograph: Micrograph, rng: np.random.Generator) -> Micrograph:
    """As people hand it over: binned, denoised, sharpened or flattened, and by any detector."""
    if rng.uniform() > _PROCESSED:
        return micrograph
    h, w = micrograph.shape
    per_px = np.hypot(fft.fftfreq(h)[:, None], fft.rfftfreq(w))
    spectrum = _gain(FINE_PX * per_px, rng) * fft.rfft2(micrograph.pixels)
    return replace(micrograph, pixels=fft.irfft2(spectrum, micrograph.shape).astype(np.float32))


def _gain(per_diameter: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Of each frequency, in periods per particle: a slope, often less of the highest and lowest."""
    slope = np.clip(per_diameter, 0.5, PARTICLE_PX / 2) ** rng.uniform(-0.3, 0.3)
    smooth = rng.uniform(0.0, 2.2 / PARTICLE_PX) * (rng.uniform() < 0.5)
    flat = rng.uniform(0.1, 0.8) * (rng.uniform() < 0.5)
    kept = np.exp(-2 * (np.pi * smooth * per_diameter) ** 2)
    left = 1 - np.exp(-((per_diameter / max(flat, 1e-3)) ** 2))
    return np.asarray(slope * kept * left)


def _contamination(labels: Labels) -> Labels:
    """Of the classes only this: particles are told by their centres."""
    classes: NDArray[np.uint8] = labels.classes
    return Labels(np.where(classes == LabelClass.CONTAMINATION, classes, LabelClass.UNKNOWN))


def make_lessons(
    bodies: Sequence[ParticleModel],
    count: int,
    seed: int,
    conditions: Conditions | None = None,
    synthetic: bool = True,
    usual: bool = False,
) -> Iterator[Example]:
    """So many lessons: of the bodies in turn, and every second one of an synthetic particle.

    The same seed gives the same ones, whatever the machine; without bodies all are synthetic, and
    none of them if that is not wanted. `usual` ones are no harder than what people pick.
    """
    coarse = [body.coarser(body.diameter_angstrom / FINE_PX / 2) for body in bodies]
    rngs = np.random.default_rng(seed).spawn(count)

    def make(job: tuple[int, np.random.Generator]) -> Example:
        number, rng = job
        if synthetic and not (coarse and number % 2):
            body = make_synthetic(number, rng)
        else:
            body = coarse[number // (1 + synthetic) % len(coarse)]
        lesson = make_lesson(body, conditions or Conditions(), rng, usual)
        return replace(lesson, path=Path(f"{number:05d} {body.name}"))

    return map_in_order(make, enumerate(rngs), cores())
