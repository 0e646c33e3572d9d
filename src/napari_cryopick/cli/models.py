"""`napari-cryopick models`: list, show, import, export, remove and pretrain models."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..errors import CryopickError
from ..model.card import ModelCard, card_summary, format_size, network_summary, read_card
from ..model.registry import (
    ModelEntry,
    export_model,
    find_model,
    import_model,
    list_models,
    list_runs,
    remove_model,
)
from ..pretraining.settings import PretrainingSettings
from .options import JsonFile
from .progress import Progress, stop_on_interrupt
from .terminal import (
    ExitCode,
    echo,
    format_number,
    print_error,
    print_result,
    require_writable,
    table,
)
from .train import show as show_event

models = App(name="models", help="List models by name; show, import, export, remove, pretrain.")


@models.default
def list_(*, runs: Path | None = None, json: JsonFile = None) -> ExitCode:
    """List the bundled models and those imported.

    Parameters
    ----------
    runs
        Also list the runs in this folder.
    """
    known, exit_code = [], ExitCode.DONE
    for entry in list_models() + (list_runs(runs) if runs else []):
        try:
            known.append((entry, read_card(entry.path)))
        except CryopickError as error:
            exit_code = print_error(str(error), ExitCode.SOME_FAILED)
    shown = as_table(known) if known else "There are no models yet; train one, or import one."
    print_result(shown, {"models": [as_data(*one) for one in known]}, json)
    return exit_code


@models.command
def show(model: str, /, *, json: JsonFile = None) -> ExitCode:
    """Show the card of a model.

    Parameters
    ----------
    model
        A name, a file, a run, one of its iterations, or an address with a hash.
    """
    path = find_model(model)
    card = read_card(path)
    head = [text for text in (card.name or model, card.description) if text]
    rows = Table.grid("", "", padding=(0, 3, 0, 0))
    for title, text in card_summary(card).items():
        rows.add_row(title, Text(text))
    data = {"path": str(path), "card": card.model_dump(mode="json")}
    print_result(Group(*(Text(f"{text}\n") for text in head), rows), data, json)
    return ExitCode.DONE


@models.command(name="import")
def import_(source: str, /, *, name: str = "") -> ExitCode:
    """Copy a model into your own models.

    Parameters
    ----------
    source
        A file, a run, or an address that ends in #sha256= and the hash of the file.
    name
        By default the name in its card, or else that of the file or run.
    """
    entry = import_model(source, name)
    echo(f"The model is in {entry.path}; to pick with it: --model {shlex.quote(entry.name)}")
    return ExitCode.DONE


@models.command
def export(model: str, file: Path, /) -> ExitCode:
    """Write a model as one file, for others to import.

    Parameters
    ----------
    model
        A name, a run (its best iteration), or one of its iterations.
    file
        The file, .safetensors.
    """
    echo(f"The model is in {export_model(model, file)}.")
    return ExitCode.DONE


@models.command
def remove(name: str, /) -> ExitCode:
    """Remove a model that was imported.

    Parameters
    ----------
    name
        Its name.
    """
    remove_model(name)
    echo(f"{name} is removed.")
    return ExitCode.DONE


@models.command
def pretrain(
    file: Path,
    structures: list[Path] | None = None,
    /,
    *,
    settings: Annotated[PretrainingSettings, Parameter(name="*")] = PretrainingSettings(),  # noqa: B008
) -> ExitCode:
    """Train a general model on simulated micrographs, as the bundled one was.

    Takes about 50 minutes on two cores. Ctrl-C stops the training and saves the model so far.

    Parameters
    ----------
    file
        File of the model, .safetensors.
    structures
        Atomic models or density maps to simulate besides synthetic particles.
    """
    from ..pretraining.general import pretrain as run_pretraining
    from ..simulation.structures import read_structure

    require_writable(file.parent)
    particles = [read_structure(path) for path in structures or []]
    with stop_on_interrupt() as stop, Progress("Pretraining") as progress:
        for event in run_pretraining(particles, settings, file, stop):
            show_event(event, progress)
    echo(f"The model is in {file}.")
    return ExitCode.STOPPED if stop.is_set() else ExitCode.DONE


def as_table(known: Sequence[tuple[ModelEntry, ModelCard]]) -> Table:
    """Return one row for each model."""
    shown = table("model", "from", "network", "size", "F1", "threshold")
    shown.add_column("trained on")
    for entry, card in known:
        f1, sources = card.metrics.get("f1"), card.training_data
        shown.add_row(
            Text(entry.name),
            entry.origin,
            Text(network_summary(card)),
            format_size(entry.path.stat().st_size),
            format_number(nan if f1 is None else f1, 2),
            format_number(card.threshold, 2),
            Text("".join(sources[:1]) + (f" and {len(sources) - 1} more" if sources[1:] else "")),
        )
    return shown


def as_data(entry: ModelEntry, card: ModelCard) -> dict[str, object]:
    """Return an entry for JSON."""
    path, card_data = entry.path, card.model_dump(mode="json")
    known = {"name": entry.name, "from": entry.origin, "path": str(path)}
    return {**known, "bytes": path.stat().st_size, "card": card_data}
