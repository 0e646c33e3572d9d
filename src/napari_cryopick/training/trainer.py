"""Optimiser steps, and the averaged weights they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..network.architectures import ARCHITECTURES
from .augmentation import AUGMENTATIONS, augment
from .losses import make_loss
from .sampling import Batch, Field, sample_batch
from .settings import TrainSettings
from .unlabelled import draw_sceptics, reconsider

EMA_DECAY = 0.98
LARGEST_GRADIENT = 1.0
ADOPTION_BEGINS = 0.4


class Trainer:
    """One network on its way from random weights to trained ones.

    Parameters
    ----------
    fields
        What to draw patches from.
    settings
        Those of the run.
    device
        Where the network lives.
    """

    def __init__(
        self, fields: Sequence[Field], settings: TrainSettings, device: torch.device
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = ARCHITECTURES[settings.architecture]()
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(EMA_DECAY)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        self.loss = make_loss(settings.loss, settings.alpha)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), settings.learning_rate)
        self.schedule = _schedule(self.optimiser, settings)
        self._fields, self._settings, self._device = fields, settings, device

    def step(self) -> float:
        """Learn from one batch; returns its loss."""
        batch = self._batch()
        self.network.train()
        with self._precision():
            logits = self.network(batch.images.contiguous(memory_format=torch.channels_last))
        logits = logits.float()
        batch = self._reconsidered(batch, logits.detach())
        loss = self.loss(logits, batch.values, batch.weights)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        return loss.item()

    @property
    def averaged(self) -> nn.Module:
        """The averaged network, in evaluation mode."""
        network: nn.Module = self.average.module
        return network.eval()

    def _batch(self) -> Batch:
        s = self._settings
        batch = sample_batch(self._fields, s.batch_size, s.patch_px, s.augmentation, self.generator)
        batch = augment(batch, tuple(AUGMENTATIONS), s.augmentation, self.generator)
        return Batch(
            *(tensor.to(self._device) for tensor in (batch.images, batch.values, batch.weights))
        )

    def _reconsidered(self, batch: Batch, logits: Tensor) -> Batch:
        """The batch with what the network thinks of its unlabelled pixels."""
        s = self._settings
        adopting = self.schedule.last_epoch > ADOPTION_BEGINS * s.total_steps
        adoption = s.adoption if adopting else 0.0
        sceptics = draw_sceptics(batch, self.generator)
        return reconsider(batch, logits.sigmoid(), s.doubt, adoption, sceptics)

    def _precision(self) -> torch.autocast | nullcontext[None]:
        if self._device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()


def _schedule(optimiser: torch.optim.Optimizer, settings: TrainSettings) -> LRScheduler:
    if settings.schedule == "cosine":
        return CosineAnnealingLR(optimiser, settings.total_steps)
    return OneCycleLR(optimiser, settings.learning_rate, total_steps=settings.total_steps)
