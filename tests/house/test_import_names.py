"""Plain import names are safe only while each is ours alone: docs/decisions/0001-import-names.md."""

from __future__ import annotations

import importlib
import tomllib
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LISTED = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
PACKAGES = sorted(name for name in LISTED if "." not in name)
NAMES = [*PACKAGES, *PYPROJECT["tool"]["setuptools"]["py-modules"]]


def foreign_owners(name: str) -> set[str]:
    """Distributions besides ours that provide a top-level name, by metadata and by the files they brought."""
    told = set(packages_distributions().get(name, []))
    heads = (f"{name}/", f"{name}.py")
    brought = {
        distribution.name
        for distribution in distributions()
        if any(
            str(file).startswith(heads) and Path(file.locate()).exists() for file in distribution.files or []
        )
    }
    return (told | brought) - {"carillon"}


@pytest.mark.parametrize("name", [*NAMES, "tests", "bench"])
def test_each_import_name_is_ours_alone(name: str) -> None:
    assert foreign_owners(name) == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_imported_from_this_checkout(name: str) -> None:
    origin = importlib.import_module(name).__file__
    assert origin is not None
    assert Path(origin).is_relative_to(ROOT)


def test_the_packages_listed_are_the_folders_there() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench"}
    assert folders == set(PACKAGES)
    assert sorted(LISTED) == sorted(pattern for name in PACKAGES for pattern in (name, f"{name}.*"))


def test_every_subpackage_is_built() -> None:
    roots = [ROOT / name for name in PACKAGES]
    bare = {
        str(path.parent.relative_to(ROOT))
        for root in roots
        for path in root.rglob("*.py")
        if not (path.parent / "__init__.py").exists() and "migrations" not in path.parts
    }
    assert bare == set()


def test_no_test_folder_is_a_package_and_no_two_test_files_share_a_name() -> None:
    files = list((ROOT / "tests").rglob("test_*.py"))
    assert [path.parent for path in files if (path.parent / "__init__.py").exists()] == []
    names = [path.name for path in files]
    assert len(names) == len(set(names))
