"""One's own models: kept in a folder under a name, given to others as one file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import CryopickError
from ..io import atomic_path, writing_in
from .download import is_url
from .model_file import SUFFIX, read_card
from .zoo import ITERATION, Listed, find_model, list_models, models_folder, place

_NAME = re.compile(r"\w([\w .+-]{0,78}\w)?", re.ASCII)


def import_model(source: str, name: str = "", folder: Path | None = None) -> Listed:
    """Copy a model into the folder of one's own models, where it is known by its name.

    Parameters
    ----------
    source
        Whatever `find_model` finds.
    name
        By default what the model calls itself, or else the name of the file or run.

    Raises
    ------
    CryopickError
        If it is no model, or the name cannot be taken.
    """
    folder = folder or models_folder()
    name = name or usual_name(source, folder)
    _require_free(name, folder)
    return Listed(name, export_model(source, folder / f"{name}{SUFFIX}", folder), "imported")


def usual_name(source: str, folder: Path | None = None) -> str:
    """What the model calls itself, or else the name of its file or run."""
    return read_card(find_model(source, folder)).name or _name_of(source)


def export_model(source: str | Path, path: Path, folder: Path | None = None) -> Path:
    """Write a model as one safetensors file that holds its weights and its card."""
    if path.suffix != SUFFIX:
        raise CryopickError(f"{path} is not named as a model file; let it end in {SUFFIX}.")
    found = find_model(source, folder)
    read_card(found)
    with atomic_path(path) as part:
        shutil.copyfile(found, part)
    return path


def remove_model(name: str, folder: Path | None = None) -> None:
    """Remove a model that was imported."""
    folder = folder or models_folder()
    own = {one.name: one.path for one in list_models(folder) if one.origin == "imported"}
    if name not in own:
        raise CryopickError(f"{name} is not among the models imported into {folder}.")
    with writing_in(folder):
        own[name].unlink()


def _require_free(name: str, folder: Path) -> None:
    if not _NAME.fullmatch(name):
        raise CryopickError(
            f"{name!r} cannot name a model; take letters, digits, spaces and any of _.+-"
        )
    taken = {listed.name.lower() for listed in list_models(folder)}
    if name.lower() in taken:
        raise CryopickError(f"There is a model called {name} already; give yours another name.")


def _name_of(source: str) -> str:
    path = Path(urlsplit(source).path) if is_url(source) else place(Path(source).absolute())
    name = path.stem if path.suffix == SUFFIX else path.name
    return f"{path.parent.name} {name}" if name.startswith(ITERATION) else name
