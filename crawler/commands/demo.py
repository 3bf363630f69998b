"""``presskeep demo``: the sample news site, crawled from captures that come with presskeep."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawler.commands.common import explained

DEMO = Path(__file__).resolve().parents[2] / "spiders" / "demo"


@click.command("demo", help="Crawl the sample site into a fresh archive, without network.")
@click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("presskeep-demo"),
    show_default=True,
    help="Folder of the demo's archive; crawled again, it stays as it is.",
)
@explained
def command(archive: Path) -> None:
    """Thin: an archive with the sample sources, one crawl, the table, the next command."""
    from crawler.archive.site import write_new
    from crawler.commands.crawl import crawl
    from crawler.commands.init import make_archive
    from crawler.sources import load_source

    make_archive(archive, title="presskeep demo", url="http://localhost:4000", timezone="Asia/Shanghai")
    paths = sorted((DEMO / "sources").glob("*.yml"))
    for path in paths:
        write_new(archive / "sources" / path.name, path.read_bytes())
    code = crawl(archive, [load_source(path) for path in paths], replay=[DEMO / "site.warc.gz"])
    if code == 0:
        click.echo(f"\nPosts lie below {archive / '_posts'}. Next: presskeep serve --archive {archive}")
    sys.exit(code)
