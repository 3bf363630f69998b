"""``presskeep schema``: JSON Schema of a source file."""

from __future__ import annotations

import click


@click.command("schema", help="Print the JSON Schema of a source file, for editors that complete YAML.")
def command() -> None:
    """Thin."""
    import json

    from crawler.sources import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))
