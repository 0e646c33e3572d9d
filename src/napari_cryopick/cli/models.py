"""`napari-cryopick models`: which models there are, what they are; import and export."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from cyclopts import App
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..errors import CryopickError
from ..model.card import ModelCard, card_summary, format_size, network_summary, read_card
from ..model.registry import ModelEntry, find_model, list_models, list_runs
from .options import JsonFile
from .pretrain import teach
from .terminal import ExitCode, echo, format_number, print_error, print_result, table

models = App(name="models", help="List models by name; show, import, export, remove, teach.")

models.command(teach)

Described = tuple[ModelEntry, ModelCard]


@models.default
def list_(*, runs: Path | None = None, json: JsonFile = None) -> ExitCode:
    """List the models that come along and those imported.

    Parameters
    ----------
    runs
        Also list the runs in this folder.
    """
    listed = list_models() + (list_runs(runs) if runs else [])
    described = list(_described(listed))
    print_result(as_table(described), {"models": [as_data(*one) for one in described]}, json)
    return ExitCode.DONE if len(described) == len(listed) else ExitCode.SOME_FAILED


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
    print_result(
        as_card(model, card), {"path": str(path), "card": card.model_dump(mode="json")}, json
    )
    return ExitCode.DONE


@models.command(name="import")
def import_(source: str, /, *, name: str = "") -> ExitCode:
    """Keep a model under a name.

    Parameters
    ----------
    source
        A file, a run, or an address that ends in #sha256= and the hash of the file.
    name
        By default what the model calls itself, or else the name of the file or run.
    """
    from ..model.registry import import_model

    kept = import_model(source, name)
    echo(f"{kept.path} holds the model; to pick with it: --model {shlex.quote(kept.name)}")
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
    from ..model.registry import export_model

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
    from ..model.registry import remove_model

    remove_model(name)
    echo(f"{name} is removed.")
    return ExitCode.DONE


def as_table(described: Iterable[Described]) -> RenderableType:
    """One row for each model."""
    rows = list(described)
    if not rows:
        return "There are no models yet; train one, or import one."
    shown = table("model", "from", "network", "size", "F1", "threshold")
    shown.columns[0].min_width = None
    shown.add_column("trained on")
    for listed, card in rows:
        shown.add_row(
            Text(listed.name),
            listed.origin,
            Text(network_summary(card)),
            format_size(listed.path.stat().st_size),
            format_number(_f1(card), 2),
            format_number(card.threshold, 2),
            Text(_trained_on(card)),
        )
    return shown


def as_card(model: str, card: ModelCard) -> RenderableType:
    """All that the card says."""
    rows = Table.grid("", "", padding=(0, 3, 0, 0))
    for title, text in card_summary(card).items():
        rows.add_row(title, Text(text))
    head = [text for text in (card.name or model, card.description) if text]
    return Group(*(Text(f"{text}\n") for text in head), rows)


def as_data(listed: ModelEntry, card: ModelCard) -> dict[str, object]:
    """The same for a program to read."""
    return {
        "name": listed.name,
        "from": listed.origin,
        "path": str(listed.path),
        "bytes": listed.path.stat().st_size,
        "card": card.model_dump(mode="json"),
    }


def _described(listed: Iterable[ModelEntry]) -> Iterator[Described]:
    """Models with their cards; a file that is none is told, and left out."""
    for one in listed:
        try:
            yield one, read_card(one.path)
        except CryopickError as error:
            print_error(str(error))


def _trained_on(card: ModelCard) -> str:
    if len(card.training_data) < 2:
        return "".join(card.training_data)
    return f"{card.training_data[0]} and {len(card.training_data) - 1} more"


def _f1(card: ModelCard) -> float:
    value = card.metrics.get("f1")
    return float("nan") if value is None else value
