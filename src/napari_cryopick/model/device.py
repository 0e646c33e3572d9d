"""Choose the processor that does the work."""

from __future__ import annotations

import platform

import torch

from ..errors import CryopickError


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of this name, if it is here; "auto" takes CUDA, then MPS, then the CPU."""
    if name == "auto":
        name = next((kind for kind in ("cuda", "mps") if _works(kind)), "cpu")
    if not _works(name):
        raise CryopickError(f'There is no device "{name}" here; use auto, cpu, cuda or mps.')
    return torch.device(name)


def describe(device: torch.device) -> str:
    """Return the name of a device in words a user knows."""
    if device.type == "cuda":
        return f"GPU ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "GPU (Apple)"
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def _works(name: str) -> bool:
    try:
        device = torch.device(name)
    except RuntimeError:
        return False
    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    return device.type == "cpu" or (device.type == "mps" and torch.backends.mps.is_available())
