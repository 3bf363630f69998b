"""The house: who may import whom, that every module says what it is for, and that help answers at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("crawler", "spiders", "pipelines")
MODULES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))
HEAVY = ("scrapy", "twisted", "pydantic", "sqlalchemy", "rich", "lxml")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Full dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def below(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} is empty"
    return found


@pytest.mark.parametrize("path", below("crawler/extract"), ids=named)
def test_extract_imports_nothing_of_ours_outside_itself(path: Path) -> None:
    strangers = [name for name in imports(path) if within(name, *OURS) and not within(name, "crawler.extract")]
    assert strangers == []


@pytest.mark.parametrize("path", below("crawler/archive"), ids=named)
def test_archive_imports_only_items_and_itself(path: Path) -> None:
    allowed = ("crawler.items", "crawler.archive")
    strangers = [name for name in imports(path) if within(name, *OURS) and not within(name, *allowed)]
    assert strangers == []


@pytest.mark.parametrize("path", [*below("crawler/extract"), *below("crawler/archive")], ids=named)
def test_extract_and_archive_know_no_scrapy(path: Path) -> None:
    assert [name for name in imports(path) if within(name, "scrapy", "twisted", "itemadapter")] == []


@pytest.mark.parametrize("path", below("crawler"), ids=named)
def test_crawler_imports_neither_spiders_nor_pipelines(path: Path) -> None:
    assert [name for name in imports(path) if within(name, "spiders", "pipelines")] == []


def test_only_the_settings_name_spiders_and_pipelines() -> None:
    """Dotted names, by which Scrapy or ``load_object`` would import them."""
    naming = set()
    for path in below("crawler"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if text.startswith(("spiders.", "pipelines.")) and " " not in text and "/" not in text:
                naming.add(named(path))
    assert naming == {"crawler/settings.py"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nobody_imports_the_bare_name_crawler(path: Path) -> None:
    """``from_crawler(cls, crawler)`` and the like would hide it."""
    assert [name for name in imports(path) if name == "crawler"] == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    assert len(first) >= 20, "no purpose in the first line"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['presskeep', *sys.argv[1:]]\n"
        "from crawler.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert "presskeep" in done.stdout + done.stderr


def test_the_entry_module_imports_click_and_the_standard_library_alone() -> None:
    known = {name.partition(".")[0] for name in imports(ROOT / "crawler/cli.py")} - set(sys.stdlib_module_names)
    assert known == {"click", "crawler"}
    assert [name for name in imports(ROOT / "crawler/cli.py") if within(name, "crawler")] == ["crawler.__version__"]
