from __future__ import annotations

from napari_cryopick.cli.main import main


def test_a_run_of_train_is_reported_in_its_folder(project, capsys):
    assert main(["report", str(project.run)]) == 0
    page = (project.run / "report.html").read_text(encoding="utf-8")
    assert f"The report is in {project.run / 'report.html'}." in capsys.readouterr().err
    assert "Use the initial model." in page
    assert "could not be drawn" not in page


def test_the_report_goes_where_it_is_asked_for(project, tmp_path):
    output = tmp_path / "new" / "r.html"
    assert main(["report", str(project.run), "--output", str(output)]) == 0
    assert output.stat().st_size > 10_000


def test_no_run_no_report_and_one_sentence(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert err == f"{tmp_path} holds no run; give the folder that a training wrote.\n"
    assert out == ""
