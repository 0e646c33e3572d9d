"""The command `napari-cryopick`: runs a subcommand and turns errors into sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter

from .. import CryopickError, __version__
from ..model.threads import wait_passively
from .ablate import ablate
from .classify import classify
from .convert import convert
from .demo import demo
from .evaluate import evaluate
from .extract import extract
from .models import models
from .options import default_shown, option_name, usage_sentence
from .predict import predict
from .report import report
from .self_train import self_train
from .simulate import simulate
from .terminal import ExitCode, prepare_program, print_error, showing_warnings
from .train import train

COMMANDS: tuple[Callable[..., ExitCode], ...] = (
    *(predict, classify, train, self_train, extract, evaluate, report, ablate, simulate),
    *(convert, demo),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error becomes one sentence on stderr."""
    wait_passively()
    if arguments is None:
        prepare_program()
    try:
        with showing_warnings():
            return build_app()(arguments) or ExitCode.DONE
    except CycloptsError as error:
        return print_error(usage_sentence(error), ExitCode.MISUSED)
    except CryopickError as error:
        return print_error(str(error), ExitCode.FAILED)
    except OSError as error:
        return print_error(f"{error.filename or 'Input or output'}: {error.strerror}.")
    except KeyboardInterrupt:
        return print_error("Stopped.", ExitCode.STOPPED)


def build_app() -> App:
    """Make the parser; commands import what is heavy when they run, so that `--help` is quick."""
    app = App(
        name="napari-cryopick",
        help="Pick cryo-EM particles: from ten clicks, in minutes, on a laptop.\n\n"
        "New here? `napari-cryopick demo` shows everything and needs no data.",
        version=__version__,
        default_parameter=Parameter(
            name_transform=option_name, negative=(), show_default=default_shown
        ),
        print_error=False,
        exit_on_error=False,
        verbose=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for order, command in enumerate(COMMANDS):
        app.command(command, sort_key=order)
    app.command(models)
    return app
