"""The package as it is installed: light to import, whole, and true to its README."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_cryopick
from napari_cryopick.cli.main import build_app
from napari_cryopick.io import PICK_FORMATS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HEAVY = {"torch", "napari", "qtpy", "pandas", "matplotlib", "numpy", "scipy", "pydantic"}


def test_importing_the_package_imports_nothing_heavy():
    code = f"import napari_cryopick, sys; print(*sys.modules.keys() & {HEAVY})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_version_is_that_of_the_project_and_its_changelog():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert napari_cryopick.__version__ == version("napari-cryopick") == project["version"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="git writes links as text there")
def test_the_manifest_at_the_top_is_the_package_s_and_valid():
    assert (ROOT / "napari.yaml").is_symlink()
    assert (ROOT / "napari.yaml").resolve() == Path(napari_cryopick.__file__).with_name(
        "napari.yaml"
    )
    manifest = PluginManifest.from_distribution("napari-cryopick")
    assert manifest.name == "napari-cryopick"
    manifest.validate_imports()


def test_napari_opens_every_format_of_picks_and_saves_those_that_are_written():
    found = PluginManifest.from_distribution("napari-cryopick").contributions
    readers = {one.command: one.filename_patterns for one in found.readers}
    assert readers["napari-cryopick.read_picks"] == [f"*{suffix}" for suffix in PICK_FORMATS]
    saved = [suffix for one in found.writers for suffix in one.filename_extensions]
    assert saved == [suffix for suffix, one in PICK_FORMATS.items() if one.write]


@pytest.fixture(scope="module")
def names_in_wheel(tmp_path_factory) -> set[str]:
    """The files that are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_the_manifest_the_type_marker_and_no_tests(names_in_wheel):
    names = names_in_wheel
    assert {"napari_cryopick/napari.yaml", "napari_cryopick/py.typed"} < names
    assert not any("test" in name for name in names)


def test_the_wheel_holds_models_recipes_and_the_template_of_the_report(names_in_wheel):
    package = Path(napari_cryopick.__file__).parent
    files = {
        path.relative_to(package.parent).as_posix()
        for suffix in ("safetensors", "yaml", "j2")
        for path in package.rglob(f"*.{suffix}")
    }
    assert len(files) > 3
    assert files <= names_in_wheel


def commands_of(page: Path) -> list[list[str]]:
    """The words of each `napari-cryopick` command line in a page's code blocks."""
    blocks = re.findall(r"```(?:bash|console)\n(.*?)```", page.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("napari-cryopick ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documentation_are_understood(page):
    for words in commands_of(page):
        build_app().parse_args(words)


def test_the_readme_shows_the_main_commands():
    shown = {words[0] for words in commands_of(ROOT / "README.md")}
    assert shown >= {"demo", "train", "predict", "evaluate"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
