from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_cryopick.classification.alignment import Aligner
from napari_cryopick.classification.averaging import Stack, average
from napari_cryopick.classification.coefficients import ANGLES, BOX_PX

from .conftest import blobs, particles


def degrees(poses) -> np.ndarray:
    return (poses.steps + ANGLES * poses.flips).numpy() * 180 / ANGLES


def aligned(basis, images, references):
    stack = Stack(basis.analyse(images), basis)
    whitened = basis.analyse(np.array(references)).float() * stack.weights
    return stack, Aligner(basis, whitened).align(stack[torch.arange(len(images))])


@pytest.mark.parametrize("angle", [0, 40, 95, 180, 265, 355])
@pytest.mark.parametrize("shift", [(0, 0), (2.5, -6)])
def test_an_image_is_found_at_its_angle_and_place(basis, angle, shift):
    image = blobs(0, angle, np.array(shift))
    _, poses = aligned(basis, image[None], [blobs(0, 0, np.zeros(2))])
    assert abs((degrees(poses)[0] - angle + 180) % 360 - 180) <= 5
    np.testing.assert_allclose(poses.shifts[0], shift, atol=0.6)


def test_particles_find_their_class_and_pose_in_noise(basis):
    drawn = particles(200, noise=1.0)
    references = [blobs(shape, 0, np.zeros(2)) for shape in (0, 1)]
    _, poses = aligned(basis, drawn.images, references)
    assert (poses.classes.numpy() == drawn.shapes).mean() > 0.97
    arms = drawn.shapes == 0
    wrong = (degrees(poses) - drawn.angles + 180)[arms] % 360 - 180
    assert np.median(np.abs(wrong)) < 6
    assert np.median(np.abs(poses.shifts.numpy() - drawn.shifts)) < 0.7


def test_the_average_of_aligned_particles_is_the_reference(basis):
    drawn = particles(400, noise=1.0)
    references = [blobs(shape, 0, np.zeros(2)) for shape in (0, 1)]
    stack, poses = aligned(basis, drawn.images, references)
    averages, counts = average(stack, basis, torch.arange(400), poses, 2)
    assert counts.sum() == 400
    middle = slice(BOX_PX // 4, -BOX_PX // 4)
    for image, true in zip(basis.images(averages / stack.weights), references, strict=True):
        one, other = image[middle, middle].ravel(), true[middle, middle].ravel()
        assert np.corrcoef(one, other)[0, 1] > 0.95
