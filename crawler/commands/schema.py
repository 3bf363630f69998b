"""``presskeep schema``: JSON Schema of a source file."""

from __future__ import annotations

import click


@click.command("schema", help="Print the JSON Schema of a source file, for editors that complete YAML.")
def command() -> None:
    """Thin."""
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The schema as a file holds it."""
    import json

    from crawler.sources import json_schema

    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
