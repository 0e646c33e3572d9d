from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_cryopick import __version__
from napari_cryopick.cli.main import COMMANDS, main

NAMES = [*(command.__name__.replace("_", "-") for command in COMMANDS), "models"]
GROUPED = [f"models {command}" for command in ("show", "import", "export", "remove", "pretrain")]

HEAVY = (
    "import sys; print(*sys.modules.keys() & {'torch', 'pandas', 'matplotlib', 'napari', 'qtpy'})"
)


def test_help_lists_every_command_and_imports_nothing_heavy():
    code = f"from napari_cryopick.cli.main import main; main(['--help']); {HEAVY}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *help_lines, heavy = done.stdout.splitlines()
    assert heavy == ""
    for name in NAMES:
        assert any(line.startswith(f"│ {name} ") for line in help_lines)


@pytest.mark.parametrize("command", NAMES + GROUPED)
def test_every_option_of_every_command_has_a_description(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    rows = [line for line in text.splitlines() if line.startswith(("│ *  ", "│    --", "│ --"))]
    assert rows
    for row in rows:
        option_and_description = row.strip("│* ").split("  ", 1)
        assert len(option_and_description) == 2, row


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("predict a.mrc --diametr 3 --output x.star", "Unknown option: --diametr."),
        ("evaluate a.star --truth b.star", "--diameter requires an argument."),
        ("predict --diameter 3 --output x.star", "MICROGRAPHS requires an argument."),
        ("predict a.mrc --diameter -3 --output x.star", "--diameter should be greater than or"),
        ("predict a.mrc --diameter big --output x.star", "--diameter should be a valid number"),
        ("predict a.mrc --diameter 3 --threshold 2 --output x.star", "--threshold should be less"),
        ("train a --picks p.star --diameter 3 --output r --loss hinge", "--loss should be 'focal"),
        ("convert a.star b.csv --flip-y 0", "--flip-y"),
        ("models list all", "Not understood: list all."),
        ("models import", "SOURCE requires an argument."),
        ("pick a.mrc", 'Unknown command "pick".'),
    ],
)
def test_a_wrong_call_is_told_in_one_line_and_exits_with_2(arguments, sentence, capsys):
    assert main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert sentence in err
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("predict nowhere --diameter 3 --output x.star", "nowhere does not exist"),
        ("evaluate no.star --truth no.star --diameter 3", "no.star does not exist"),
        ("convert no.star x.csv", "no.star does not exist"),
        ("train a.mrc --picks p.star --output x", "diameter is not known; give --diameter"),
        ("train a.mrc --diameter 3 --output x", "nothing to train on; give --picks, --classes or"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_exits_with_1(arguments, sentence, capsys):
    assert main(arguments.split()) == 1
    out, err = capsys.readouterr()
    assert sentence in err
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize("arguments", ["predict --help", "models show general"])
def test_characters_that_a_terminal_lacks_are_replaced(arguments):
    command = Path(sys.executable).with_name("napari-cryopick")
    ascii_only = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [command, *arguments.split()], env=ascii_only, capture_output=True, check=True
    )
    assert b"?" in done.stdout
    assert done.stdout.isascii()
    assert not done.stderr


def test_an_error_of_the_program_is_one_sentence_and_a_file(tmp_path):
    code = "import napari_cryopick.cli.main as module;module.build_app = None; module.main()"
    here = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=here, capture_output=True, text=True)
    (report,) = tmp_path.glob("*.log")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(report) in done.stderr
    assert "Traceback" in report.read_text("utf-8")


def test_the_installed_command_hands_its_exit_code_to_the_shell():
    command = Path(sys.executable).with_name("napari-cryopick")
    done = subprocess.run(
        [command, "convert", "no.star", "x.csv"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "no.star does not exist; check its name.\n"
