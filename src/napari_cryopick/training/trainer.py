"""Optimiser steps, and the averaged weights they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .augmentation import USUAL, augment
from .losses import make_loss
from .sampling import Batch, Field, sample_batch
from .settings import TrainSettings
from .start import starting_network
from .unlabelled import draw_sceptics, reconsider

EMA_DECAY = 0.98
LARGEST_GRADIENT = 1.0
ADOPTION_BEGINS = 0.4


class Trainer:
    """One network on its way from what it starts with to what it will know.

    Parameters
    ----------
    fields
        What to draw patches from.
    settings
        Those of the run.
    steps
        How many it will take.
    device
        Where the network lives.
    augmentations
        What is done to patches, by name.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        settings: TrainSettings,
        steps: int,
        device: torch.device,
        augmentations: tuple[str, ...] = USUAL,
    ) -> None:
        network = starting_network(settings)
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(EMA_DECAY)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        self.loss = make_loss(settings.loss, settings.alpha)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), settings.peak_learning_rate)
        self.schedule = _schedule(self.optimiser, settings, steps)
        self.steps = steps
        self._fields, self._settings, self._device = fields, settings, device
        self._augmentations = augmentations

    @property
    def taken(self) -> int:
        """Steps taken so far."""
        return self.schedule.last_epoch

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

    def state(self) -> dict[str, Tensor]:
        """Everything that the steps to come depend on."""
        moments = self.optimiser.state_dict()["state"]
        group = self.optimiser.param_groups[0]
        pace = torch.tensor([self.taken, group["lr"], group["betas"][0]], dtype=torch.float64)
        state = (
            {f"average.{name}": t for name, t in self.average.state_dict().items()}
            | {f"network.{name}": t for name, t in self.network.state_dict().items()}
            | {f"moment.{i}.{name}": t for i, each in moments.items() for name, t in each.items()}
            | {
                "generator": self.generator.get_state(),
                "pace": pace,
            }
        )
        return {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on where another trainer of the same fields and settings was."""
        self.average.load_state_dict(_part(state, "average."))
        self.network.load_state_dict(_part(state, "network."))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _part(state, "moment.").items():
            index, _, name = key.partition(".")
            moments.setdefault(int(index), {})[name] = tensor
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})
        self.generator.set_state(state["generator"])
        taken, rate, momentum = state["pace"].tolist()
        group = self.optimiser.param_groups[0]
        group["lr"], group["betas"] = rate, (momentum, group["betas"][1])
        self.schedule.last_epoch = int(taken)

    def _batch(self) -> Batch:
        s = self._settings
        batch = sample_batch(self._fields, s.batch_size, s.patch_px, s.augmentation, self.generator)
        batch = augment(batch, self._augmentations, s.augmentation, self.generator)
        return Batch(
            *(tensor.to(self._device) for tensor in (batch.images, batch.values, batch.weights))
        )

    def _reconsidered(self, batch: Batch, logits: Tensor) -> Batch:
        """The batch with what the network thinks of its unlabelled pixels."""
        s = self._settings
        adopting = self.taken > ADOPTION_BEGINS * self.steps
        adoption = s.adoption if adopting else 0.0
        sceptics = draw_sceptics(batch, self.generator)
        return reconsider(batch, logits.sigmoid(), s.doubt, adoption, sceptics)

    def _precision(self) -> torch.autocast | nullcontext[None]:
        if self._device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()


def _schedule(optimiser: torch.optim.Optimizer, settings: TrainSettings, steps: int) -> LRScheduler:
    if settings.schedule == "cosine":
        return CosineAnnealingLR(optimiser, steps)
    return OneCycleLR(optimiser, settings.peak_learning_rate, total_steps=steps)


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, without that beginning."""
    return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
