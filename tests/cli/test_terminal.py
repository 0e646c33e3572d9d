from __future__ import annotations

import json
from math import nan
from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.cli.terminal import (
    echo_command,
    format_number,
    pluralise,
    print_result,
    require_writable,
    table,
)


def test_a_figure_has_three_digits_and_a_dash_stands_for_none():
    assert [format_number(0.97531), format_number(3.14, 1), format_number(nan)] == [
        "0.975",
        "3.1",
        "–",
    ]


def test_one_thing_and_more_things():
    assert [pluralise(n, "pick") for n in (0, 1, 2)] == ["0 picks", "1 pick", "2 picks"]


def test_results_go_to_stdout_and_json_to_its_file(tmp_path, capsys):
    shown = table("name", "figure")
    shown.add_row("F1", "0.975")
    print_result(shown, {"f1": 0.975}, tmp_path / "new" / "scores.json")
    assert "0.975" in capsys.readouterr().out
    assert json.loads((tmp_path / "new" / "scores.json").read_text()) == {"f1": 0.975}


def test_json_to_stdout_stands_alone(capsys):
    print_result(table("name"), {"f1": 0.975}, Path("-"))
    assert json.loads(capsys.readouterr().out) == {"f1": 0.975}


def test_a_command_can_be_pasted_back_whatever_the_names(capsys):
    echo_command("predict", "my micrographs", "--output", "picks.star")
    assert capsys.readouterr().err == (
        "  napari-cryopick predict 'my micrographs' --output picks.star\n"
    )


def test_a_long_command_stays_on_one_line(capsys):
    echo_command("predict", "long" * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_an_output_folder_is_made_and_left_empty(tmp_path):
    require_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_an_output_folder_that_is_a_file_is_told_at_once(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CryopickError, match="is not a folder"):
        require_writable(tmp_path / "file")
