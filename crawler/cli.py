"""The command line: finds the verb. Imports click and the standard library alone, so that help answers at once."""

from __future__ import annotations

import importlib
import sys
from keyword import iskeyword
from typing import Any

import click

from crawler import __version__

VERBS = {
    "demo": "Crawl the sample site that comes with presskeep, without network.",
    "init": "Make a new archive: a Jekyll site with its presskeep.yml.",
    "crawl": "Follow the lists of sources and keep what is new.",
    "run": "Visit the sources that are due: the one line for cron.",
    "backfill": "Have what a source published on some days of the past.",
    "schedule": "What to install under cron, systemd or GitHub Actions.",
    "status": "What the last runs did, what waits, what was refused.",
    "health": "What each source brought by day, which are broken, and what to type next.",
    "gaps": "Which days of a source no walk has covered, and what to type next.",
    "sources": "The sources there are, and when each last ran.",
    "probe": "From one address to a working source: finds its lists, articles and rules.",
    "check": "Whether sources still give what they gave, on recorded pages and on fresh ones.",
    "repair": "Where a source's known articles stand after a change of its pages, and new rules for it.",
    "extract": "What an article page holds, and why presskeep thinks so.",
    "search": "Posts in which words stand, best first.",
    "serve": "The archive in a browser, without Ruby: its site, search, health, gaps, versions.",
    "stories": "Stories that several sources have in the same words, and whose they are.",
    "diff": "How a post changed: its versions, newest first.",
    "reprocess": "Read captures once more, with today's rules: posts get better, nobody is asked.",
    "verify": "Check every post and the ledger against the rules.",
    "manifest": "A digest for each file, signed; verify --manifest checks them.",
    "pages": "The site's own pages and data files anew, which every run brings up to date.",
    "rebuild-ledger": "Make the ledger anew from posts and captures.",
    "pack": "Render old months once, so that Jekyll builds the newest alone.",
    "unpack": "Give packed months back to Jekyll.",
    "export": "The archive for others, whole or what came since: jsonl, csv, parquet, sqlite, feeds, epub, warc, wacz.",
    "import": "What others archived, taken in: a Jekyll site, JSON Lines, WARC files.",
    "publish": "What is new as one git commit, pushed.",
    "follow": "A second archive as the mirror of another, every digest verified.",
    "push": "Hand on what is new: a log for followers, originals to the Wayback Machine.",
    "schema": "JSON Schema of source files, for editors; of exports.",
}


class Verbs(click.Group):
    """Loads a verb's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's own command."""
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"crawler.commands.{name}{'_' if iskeyword(name) else ''}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Verbs and what they do, without loading them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """An unknown verb gets the nearest one named."""
        import difflib

        if args and args[0] not in VERBS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], VERBS, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(f"There is no verb '{args[0]}'.{hint} To see all: presskeep --help")
        return super().resolve_command(ctx, args)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="presskeep")
def main() -> None:
    """presskeep follows news sites and keeps every article as a Jekyll post.

    Exit codes: 0 all well, 1 a fault (or verify found faults), 2 refused input, 3 a list could not be read
    (extract, probe, repair: no page could be had; follow, push, publish: nobody answers), 4 a source is broken (ALARM
    lines say why; check, repair too), 5 a backfill, follow, push, publish or import left something (gaps --check: there
    are gaps), 74 disk full or read-only, 75 another run is active in the archive, 130 stopped by a signal.
    """


if __name__ == "__main__":
    sys.exit(main())
