"""Models by name: bundled ones, my models in a folder, models of runs and from the web."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urldefrag, urlsplit

from platformdirs import user_data_path

from ..errors import CryopickError
from ..io import atomic_path, writing_in
from .card import SUFFIX, read_card

if TYPE_CHECKING:
    from .weights import Model

DEFAULT = "general"
"""The bundled model to begin with."""

VARIABLE = "NAPARI_CRYOPICK_MODELS"
"""The environment variable that names the folder of my models."""

DOWNLOADS = "downloads"
"""Folder in it of models from the web."""

WEIGHTS, BEST, ITERATION = f"model{SUFFIX}", "best", "iteration_"
"""In a run: the file of a model, the best iteration, and how the names of iterations begin."""

_BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class ModelEntry:
    """A model among others: what it is called, its file and where it is from."""

    name: str
    path: Path
    origin: Literal["bundled", "imported", "run"]


def models_folder() -> Path:
    """Return the folder of my models, as the environment or else the platform has it."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    return user_data_path("napari-cryopick", appauthor=False) / "models"


def list_models(folder: Path | None = None) -> list[ModelEntry]:
    """List the bundled models, then those imported into a folder (`models_folder`)."""
    bundled = [ModelEntry(path.stem, path, "bundled") for path in _files(_BUNDLED)]
    own = [ModelEntry(path.stem, path, "imported") for path in _files(folder or models_folder())]
    return bundled + own


def list_runs(folder: Path) -> list[ModelEntry]:
    """List the runs in a folder that have a model."""
    runs = {run: found for run in folder.glob("*") if (found := _in_run(run))}
    return [ModelEntry(str(run), runs[run], "run") for run in sorted(runs)]


def model_root(path: Path) -> Path:
    """Return the run or iteration that a model file belongs to; any other path as it is."""
    path = path.parent if path.name == WEIGHTS else path
    return path.parent if path.name == BEST else path


def load_model(name: str | Path) -> Model:
    """Load a model.

    Parameters
    ----------
    name
        A name that ``napari-cryopick models`` lists, a weights file, a run (its best iteration is
        meant), an iteration, or an address that ends in ``#sha256=`` and the hash.

    Returns
    -------
    Model
        The network, as a torch module, and the card that says how to use it.

    Raises
    ------
    CryopickError
        If there is no such model, or its file is broken.
    """
    from .weights import load_weights  # torch, which a list of names does without

    return load_weights(find_model(name))


def find_model(name: str | Path, folder: Path | None = None) -> Path:
    """Return the file of a model that `load_model` can load; download it first if need be.

    My models are those in `folder`, by default `models_folder`. A file that does not exist is found
    out when it is read.
    """
    if not str(name):
        raise CryopickError("No model is named; train one first, or name a model file or run.")
    folder = folder or models_folder()
    if isinstance(name, str) and _is_url(name):
        return fetch(name, folder / DOWNLOADS)
    named = {listed.name: listed.path for listed in reversed(list_models(folder))}
    return named.get(str(name)) or _file(Path(name))


def _is_url(name: str) -> bool:
    """Return whether a model is named by its address on the web."""
    return re.match("https?://", name, re.IGNORECASE) is not None


def fetch(url: str, folder: Path) -> Path:
    """Download a file into a folder, named by its hash, unless it is there already.

    The address ends in ``#sha256=`` and the hash. No file is left if it does not fit or the
    download failed.
    """
    from pooch import retrieve
    from requests import RequestException

    address, fragment = urldefrag(url)
    sha256 = parse_qs(fragment).get("sha256", [""])[0].lower()
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise CryopickError(
            f"{address} comes without its hash; add #sha256= and 64 hexadecimal digits."
        )
    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return Path(retrieve(address, f"sha256:{sha256}", fname=sha256 + SUFFIX, path=folder))
        except RequestException as error:
            reason, advice = "", "check the network, or get the file in another way"
            if error.response is not None:
                reason = f" ({error.response.status_code} {error.response.reason})"
                advice = "check the address"
            problem = f"{address}: download failed{reason}; {advice}."
        except PermissionError:
            problem = f"{folder} cannot be written to; choose another folder for models."
        except ValueError:
            hint = "ask whoever gave you the address"
            problem = f"{address} is not the file with the hash {sha256[:8]}…; {hint}."
        raise CryopickError(problem)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def _file(path: Path) -> Path:
    if str(path) == path.stem and not path.exists():
        raise CryopickError(
            f"{path} is neither the name of a model nor a file or run; the models here are "
            f"{', '.join(entry.name for entry in list_models())}."
        )
    if not path.is_dir():
        return path
    found = _in_run(path)
    if found is None:
        raise CryopickError(
            f"{path} holds no trained model; let its training finish or take another."
        )
    return found


def best_iteration(run: Path) -> Path:
    """Return the folder that `best` leads to, as a link or, where links do not work, by name."""
    best = run / BEST
    return run / best.read_text(encoding="utf-8").strip() if best.is_file() else best


def _in_run(folder: Path) -> Path | None:
    """Return the weights of a run (its best iteration) or of one of its iterations."""
    candidates = (best_iteration(folder) / WEIGHTS, folder / WEIGHTS)
    return next((path for path in candidates if path.is_file()), None)


def import_model(source: str, name: str = "", folder: Path | None = None) -> ModelEntry:
    """Copy what `find_model` finds into the folder of my models, under a name (`default_name`).

    Raises
    ------
    CryopickError
        If it is no model, or the name cannot be taken.
    """
    folder = folder or models_folder()
    name = name or default_name(source, folder)
    if not re.fullmatch(r"\w([\w .+-]{0,78}\w)?", name, re.ASCII):
        raise CryopickError(
            f"{name!r} cannot name a model; take letters, digits, spaces and any of _.+-"
        )
    if name.lower() in {listed.name.lower() for listed in list_models(folder)}:
        raise CryopickError(f"There is a model called {name} already; give yours another name.")
    return ModelEntry(name, export_model(source, folder / f"{name}{SUFFIX}", folder), "imported")


def default_name(source: str, folder: Path | None = None) -> str:
    """Return what the model calls itself, or else the name of its file or run."""
    own = read_card(find_model(source, folder)).name
    path = Path(urlsplit(source).path) if _is_url(source) else model_root(Path(source).absolute())
    name = path.stem if path.suffix == SUFFIX else path.name
    return own or (f"{path.parent.name} {name}" if name.startswith(ITERATION) else name)


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
