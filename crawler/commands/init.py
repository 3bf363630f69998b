"""``presskeep init DIR``: a new archive."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.commands.common import explained

_SCRAPY = """\
[settings]
default = presskeep.settings
"""


def make_archive(
    folder: Path,
    *,
    title: str,
    url: str,
    timezone: str,
    language: str = "zh-CN",
    baseurl: str = "",
    posts: str = "dated",
) -> list[Path]:
    """Copy the site template and write presskeep.yml; what is there already stays. The files that were written.

    Raises SettingsError for a title, address or zone that cannot be, OSError where the folder cannot be written.
    """
    from crawler.archive.site import new_site, write_new
    from crawler.commands.schema import schema_text
    from crawler.site import SETTINGS, site_yaml

    settings = site_yaml(title, url, timezone, language=language, baseurl=baseurl)
    if posts != "dated":
        settings = settings.replace('\n#posts: "dated"\n', f'\nposts: "{posts}"\n')
    values = {"title": title, "url": url, "timezone": timezone, "language": language, "baseurl": baseurl}
    written = new_site(folder, **values).written
    schema = schema_text().encode()
    ignored = "".join(f"{name}\n" for name in (".presskeep/", "_site/", ".jekyll-cache/", "*.tmp"))
    own = {
        SETTINGS: settings.encode(),
        ".gitignore": ignored.encode(),
        "scrapy.cfg": _SCRAPY.encode(),
        "sources/source.schema.json": schema,
    }
    return [*written, *(folder / name for name, data in own.items() if write_new(folder / name, data))]


def system_zone() -> str:
    """The machine's IANA zone, by /etc/localtime; UTC where it cannot be told."""
    parts = Path("/etc/localtime").resolve().parts
    return "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"


@click.command("init", help="Make a new archive in DIR: a Jekyll site, its settings, a folder for sources.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--title", help="The site's name; default: the folder's.")
@click.option("--url", default="http://localhost:4000", show_default=True, help="Where it will be published.")
@click.option("--timezone", help="IANA zone: posts are filed under its days. Default: this machine's.")
@click.option("--language", default="zh-CN", show_default=True, help="Of the pages' own words.")
@explained
def command(folder: Path, title: str | None, url: str, timezone: str | None, language: str) -> None:
    """Thin: names what was written and what to do next."""
    from crawler.site import SETTINGS

    title = title or folder.resolve().name
    zone = timezone or system_zone()
    written = make_archive(folder, title=title, url=url, timezone=zone, language=language)
    click.echo(f"{len(written)} files written in {folder}; what was there before stayed as it was.")
    if folder / SETTINGS not in written:
        click.echo(f"{folder / SETTINGS} was there: the title, address and zone in it count")
    click.echo(f"Next: put a source into {folder / 'sources'}/ID.yml, then: presskeep crawl ID --archive {folder}")
