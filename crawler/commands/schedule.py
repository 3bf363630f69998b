"""``presskeep schedule``: what to install for an archive under cron, systemd or GitHub Actions."""

from __future__ import annotations

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.commands.common import archive_option, existing_archive, explained, readable_sources

if TYPE_CHECKING:
    from crawler.units import Job, Workflow

ROOT = Path(__file__).resolve().parents[2]


@click.command("schedule", help="Print what to install so that this archive is visited by itself.")
@click.argument("kind", type=click.Choice(["cron", "systemd", "github-actions"]))
@archive_option
@click.option("--budget", default="20m", show_default=True, metavar="SPAN", help="Time that one run may take.")
@click.option(
    "--hours",
    type=click.Choice(["1", "2", "3", "4", "6", "8", "12", "24"]),
    default="24",
    show_default=True,
    help="GitHub Actions: hours between two runs, each at most one commit.",
)
@click.option("--install", metavar="REQUIREMENT", help="GitHub Actions: what pip installs presskeep from.")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), help="Write the files into this folder instead."
)
@explained
def command(kind: str, archive: Path | None, budget: str, hours: str, install: str | None, into: Path | None) -> None:
    """Thin: makes the texts, prints or writes them, and says what to type next."""
    from crawler.schedule import parse_span
    from crawler.yamlfile import SettingsError

    try:
        parse_span(budget)
        folder = existing_archive(archive).resolve()
        files, following = texts(kind, folder, budget, int(hours), install)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    for name, text in files.items():
        if into is None:
            click.echo(f"# {name}\n{text}" if len(files) > 1 else text, nl=len(files) > 1)
        else:
            into.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(text, encoding="utf-8")
    click.echo(following, err=True)


def texts(kind: str, archive: Path, budget: str, hours: int, install: str | None) -> tuple[dict[str, str], str]:
    """File name -> text, and what to do with them. Raises ValueError for a path that cannot stand there."""
    from crawler import units

    if kind == "github-actions":
        return {"presskeep.yml": units.workflow(_workflow(archive, hours, install))}, (
            "To install it: put it into .github/workflows/presskeep.yml of the repository that holds the archive."
        )
    job = _job(archive, budget)
    if kind == "cron":
        return {"crontab": units.crontab(job)}, "To install it: crontab -e, and add the line."
    return {f"{job.name}.service": units.service(job), f"{job.name}.timer": units.timer(job)}, (
        "To install it: the same with --into ~/.config/systemd/user, then\n"
        f"  systemctl --user daemon-reload && systemctl --user enable --now {job.name}.timer\n"
        "  loginctl enable-linger   # so that it runs while you are not logged in"
    )


def _job(archive: Path, budget: str) -> Job:
    from crawler.schedule import LEAST, parse_schedule
    from crawler.units import Job, minutes_between

    own = [one for one in readable_sources(archive) if one.path and one.path.parent == archive / "sources"]
    schedules = [parse_schedule(source.schedule) for source in own]
    gaps = [gap if isinstance(gap, timedelta) else LEAST for gap in schedules]
    return Job(executable(), archive, budget, minutes_between(gaps))


def executable() -> tuple[str, ...]:
    """What runs presskeep from anywhere: the script that was called or its neighbour, else this Python."""
    called = Path(sys.argv[0])
    for script in (called, Path(sys.executable).with_name("presskeep")):
        if script.name == "presskeep" and script.is_file():
            return (str(script.absolute()),)
    if importlib.util.find_spec("presskeep") is not None:
        return (sys.executable, "-m", "presskeep")
    return ("/usr/bin/env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "crawler.cli")


def _workflow(archive: Path, hours: int, install: str | None) -> Workflow:
    from crawler import __version__
    from crawler.site import load_site
    from crawler.units import Workflow

    top = next((folder for folder in (archive, *archive.parents) if (folder / ".git").exists()), archive)
    here = "." if (top / "crawler" / "cli.py").is_file() else f"presskeep=={__version__}"
    return Workflow(archive.relative_to(top).as_posix(), load_site(archive).state, install or here, hours)
