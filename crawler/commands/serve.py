"""``presskeep serve``: the archive in a browser, without Ruby, for this machine alone."""

from __future__ import annotations

import signal
from errno import EADDRINUSE
from pathlib import Path
from threading import Event, Thread

import click

from crawler.commands.common import archive_option, explained, fail
from crawler.commands.status import placed, state_option

_READY_WITHIN = 2.0
"""Seconds that the index of a small archive may take before the address is told."""


@click.command(
    "serve",
    help="Read the archive in a browser: its site without Ruby, search, filters, health, gaps, versions. "
    "For this machine alone, and nothing but the search index is written. Ctrl-C ends it.",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 for any that is free.")
@click.option(
    "--host", default="localhost", show_default=True, help="A loopback address; localhost: 127.0.0.1 and ::1."
)
@click.option("--images", is_flag=True, help="Load images from other hosts; without it they are shown as links.")
@archive_option
@state_option
@explained
def command(port: int, host: str, images: bool, archive: Path | None, state: Path | None) -> None:
    """Exit codes: 0 ended by Ctrl-C or SIGTERM, 2 a port that is taken or a host that is not loopback."""
    from crawler.report import REFUSED_INPUT
    from crawler.serve.library import Library
    from crawler.serve.look import Look, words
    from crawler.serve.reader import Reader
    from crawler.serve.server import Servers
    from crawler.site import load_site

    folder, where = placed(archive, state)
    site = load_site(folder)
    picture = "" if images else str(words(site.language)["image"])
    library, look = Library(folder, picture=picture, where=where), Look(folder, site.baseurl)
    try:
        servers = Servers(host, port, Reader(library, look), images=images)
    except OSError as error:
        why = "it is taken" if error.errno == EADDRINUSE else error.strerror or str(error)
        fail(f"cannot listen on {host}, port {port}: {why}. Next: presskeep serve --port 0{where}", REFUSED_INPUT)
    except ValueError as error:
        fail(f"cannot listen on {host}, port {port}: {error}", REFUSED_INPUT)
    ended = Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    indexing = Thread(target=library.catch_up, daemon=True)
    indexing.start()
    indexing.join(_READY_WITHIN)
    servers.start()
    click.echo(f"{site.title}: {servers.address}{site.baseurl}/  (Ctrl-C ends)")
    ended.wait()
    servers.close()
    library.close()
    look.close()
