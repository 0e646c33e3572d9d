"""Optimiser steps, and the averaged weights they lead to.

Unlabelled pixels are background at first sight only: without relabelling, particles that nobody
has picked would be learned as background.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from time import perf_counter

import torch
from torch import Generator as Random
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..errors import CryopickError
from ..model.registry import load_model
from ..model.unet import ARCHITECTURES
from .augmentation import augment
from .events import Step
from .losses import make_loss
from .patches import Batch, TrainingImage, sample_batch
from .settings import TrainSettings
from .targets import CONTAMINATION, UNLABELLED

EMA_DECAY = 0.98
"""Of averaged weights: the last fifty steps count, a third of the shortest training."""

LARGEST_GRADIENT = 1.0
"""Norm to which gradients are clipped."""

SELF_LABEL_FROM = 0.4
"""Share of the steps before the network may label unlabelled pixels itself."""

SMOOTHING = 0.95
"""Of the loss that is shown."""


FORGIVENESS = 16.0
"""Unlabelled pixels weigh (1 - p) to this power: at p = 0.13 a tenth is left."""

SELF_LABEL_WEIGHT = 0.1
"""Weight of an unlabelled pixel that is surely on a particle: as much as unlabelled background."""

SELF_LABEL_FLOOR = 0.5
"""Probability from which on a pixel is more likely particle than not."""

NEGATIVE_RATE = 0.09
"""Share of unlabelled pixels, drawn anew for each batch, that stay background whatever the network
predicts; without them the network drifts to particles everywhere (confirmation bias)."""

TOLERANCE = 0.01
"""Resampling a micrograph moves its weights by rounding errors."""


def initial_network(settings: TrainSettings) -> nn.Module:
    """Return the network that a training starts from; `CryopickError` if it does not fit."""
    if settings.from_scratch:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            return ARCHITECTURES[settings.architecture]()
    model = load_model(settings.initial_model)
    if model.card.members > 1 or model.card.architecture != settings.architecture:
        kind = "an ensemble" if model.card.members > 1 else model.card.architecture
        raise CryopickError(
            f"{settings.initial_model} is {kind}, not one {settings.architecture}; start from "
            "another model, or from scratch."
        )
    return model.network


class Trainer:
    """Trains a network in place, on patches of images, for so many steps."""

    def __init__(
        self,
        network: nn.Module,
        images: Sequence[TrainingImage],
        settings: TrainSettings,
        steps: int,
        device: torch.device,
        seed: int,
    ) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(EMA_DECAY)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        self.loss = make_loss(settings.loss, settings.focal_alpha)
        self.generator = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), settings.learning_rate)
        self.schedule = OneCycleLR(self.optimiser, settings.learning_rate, total_steps=steps)
        self.steps = steps
        self.images, self._settings, self._device = images, settings, device

    @property
    def taken(self) -> int:
        """Steps taken so far."""
        return self.schedule.last_epoch

    @property
    def averaged(self) -> nn.Module:
        """The averaged network, in evaluation mode."""
        network: nn.Module = self.average.module
        return network.eval()

    def step(self) -> float:
        """Train on one batch and return its loss."""
        batch = self._batch()
        self.network.train()
        with torch.autocast("cuda", torch.bfloat16, enabled=self._device.type == "cuda"):
            logits = self.network(batch.images.contiguous(memory_format=torch.channels_last))
        logits = logits.float()
        if self._settings.relabel_unlabelled:
            batch = self._relabelled(batch, logits.detach())
        loss = self.loss(logits, batch.values, batch.weights)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        return loss.item()

    def _batch(self) -> Batch:
        s = self._settings
        batch = sample_batch(self.images, s.batch_size, s.patch_px, s.augmentation, self.generator)
        batch = augment(batch, s.augmentation, self.generator)
        return Batch(
            *(tensor.to(self._device) for tensor in (batch.images, batch.values, batch.weights))
        )

    def _relabelled(self, batch: Batch, logits: Tensor) -> Batch:
        self_label = self.taken > SELF_LABEL_FROM * self.steps
        negatives = draw_negatives(batch, self.generator)
        return relabel_unlabelled(batch, logits.sigmoid(), negatives, self_label)


@dataclass
class ProgressTracker:
    """How far a run is, over all its trainings."""

    steps: int
    step: int = 0
    _clock: float = field(default_factory=perf_counter)
    _taken: int = 0
    _smoothed: float = 0.0
    _weight: float = 0.0

    def skip(self, steps: int) -> None:
        """Count steps that were taken in an earlier session."""
        self.step += steps

    def advance(self, loss: float) -> Step:
        """Count one step and return its event."""
        self.step += 1
        self._taken += 1
        self._smoothed = SMOOTHING * self._smoothed + (1 - SMOOTHING) * loss
        self._weight = SMOOTHING * self._weight + 1 - SMOOTHING
        pace = (perf_counter() - self._clock) / self._taken
        left = pace * (self.steps - self.step)
        return Step(self.step, self.steps, {"total": self._smoothed / self._weight}, left)

    def reset_loss(self) -> None:
        """Begin another training, whose loss is smoothed anew."""
        self._smoothed = self._weight = 0.0


def fit(trainer: Trainer, progress: ProgressTracker, stop: Event) -> Generator[Step, None, None]:
    """Take all steps of a trainer, or those until the stop (one at least)."""
    progress.reset_loss()
    while trainer.taken < trainer.steps and not (stop.is_set() and trainer.taken):
        yield progress.advance(trainer.step())


def draw_negatives(batch: Batch, generator: Random) -> Tensor:
    """Return (n, 3, h, w), True at pixels that are not to be relabelled."""
    drawn = torch.rand(batch.values.shape, generator=generator)
    return (drawn <= NEGATIVE_RATE).to(batch.values.device)


def relabel_unlabelled(
    batch: Batch, probabilities: Tensor, negatives: Tensor, self_label: bool
) -> Batch:
    """Weigh the unlabelled pixels of a batch by what the network predicts.

    The likelier a particle, the less a pixel counts as background. With `self_label`, likely
    ones count as particles, as in FixMatch (Sohn et al. 2020, arXiv 2001.07685).

    `probabilities` are what the network predicts, `negatives` True where unlabelled pixels stay
    background; both are (n, 3, h, w).
    """
    unlabelled = (batch.weights / UNLABELLED - 1).abs() < TOLERANCE
    unlabelled &= (batch.values == 0) & ~negatives
    relabelled = unlabelled & (probabilities > SELF_LABEL_FLOOR) & self_label
    relabelled[:, CONTAMINATION] = False
    forgiven = batch.weights * (1 - probabilities) ** FORGIVENESS
    weights = torch.where(unlabelled, forgiven, batch.weights)
    sureness = (probabilities - SELF_LABEL_FLOOR) / (1 - SELF_LABEL_FLOOR)
    return replace(
        batch,
        values=torch.where(relabelled, 1.0, batch.values),
        weights=torch.where(relabelled, SELF_LABEL_WEIGHT * sureness, weights),
    )
