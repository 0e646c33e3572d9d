"""What is set in napari's preferences."""

from __future__ import annotations

from pathlib import Path

from napari import settings

from ...model import registry

_PLUGIN = "napari-cryopick"


def models_folder() -> Path:
    """The folder of one's own models, as the preferences or else the environment has it."""
    chosen = _chosen_folder()
    return Path(chosen).expanduser() if chosen else registry.models_folder()


def _chosen_folder() -> str:
    """Nothing where it is not set, or where napari is older than preferences of plugins."""
    if not hasattr(settings, "get_plugin_settings"):
        return ""
    ours = settings.get_plugin_settings().get(_PLUGIN)
    return ours.models.folder.strip() if ours else ""
