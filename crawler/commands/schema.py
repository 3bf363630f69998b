"""``presskeep schema``: JSON Schema of a source file, or of a line of ``presskeep export jsonl``."""

from __future__ import annotations

import click


@click.command("schema", help="Print the JSON Schema of a source file, for editors that complete YAML.")
@click.option("--export", is_flag=True, help="That of a line of `presskeep export jsonl` instead.")
def command(export: bool) -> None:
    """Thin."""
    click.echo(export_text() if export else schema_text(), nl=False)


def export_text() -> str:
    """The schema of exported lines as a file holds it."""
    import json

    from crawler.export.jsonl import schema

    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def schema_text() -> str:
    """The schema as a file holds it."""
    import json

    from crawler.sources import json_schema

    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
