"""``presskeep verify``: the whole archive against the rules, without Ruby."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawler.commands.common import archive_option, existing_archive, explained, fail, json_option, readable_sources

Fault = tuple[str, str]
"""(file, what is wrong with it)"""


@click.command("verify", help="Check every post, the ledger, captures and Jekyll's settings; exit code 1 on any fault.")
@click.option(
    "--manifest",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Instead: every file against the archive's manifest, or one that is kept elsewhere.",
)
@click.option("--signer", type=click.Path(path_type=Path), metavar="FILE", help="Who may have signed the manifest.")
@archive_option
@json_option
@explained
def command(manifest: str | None, signer: Path | None, archive: Path | None, as_json: bool) -> None:
    """Thin: one line per fault, file and rule."""
    folder = existing_archive(archive)
    if manifest is None:
        if signer:
            raise click.UsageError("--signer is for --manifest")
        found, checked = _by_rules(folder)
    else:
        found, checked = _by_manifest(folder, Path(manifest) if manifest else folder / ".manifest", signer)
    _tell(found, f"{checked}, {len(found)} faults in {folder}", as_json)
    sys.exit(1 if found else 0)


def _by_rules(folder: Path) -> tuple[list[Fault], str]:
    """Faults, and what was checked."""
    from crawler.site import load_site
    from crawler.verify import faults, post_files

    found = list(faults(folder, load_site(folder), readable_sources(folder)))
    return found, f"{len(post_files(folder))} posts"


def _by_manifest(folder: Path, where: Path, signer: Path | None) -> tuple[list[Fault], str]:
    """Likewise. Ends with exit code 2 where there is no whole manifest, or no file of signers."""
    from crawler.commands.manifest import counter
    from crawler.manifest import SIGNATURE, TAGS, ManifestError, faults, load
    from crawler.report import REFUSED_INPUT
    from crawler.signing import SigningError, signer_of
    from crawler.site import load_site

    try:
        manifest = load(where)
        name = signer_of(manifest.tags[TAGS], manifest.signature, signer) if signer else ""
        found = list(faults(folder, load_site(folder), manifest, counter()))
    except (ManifestError, SigningError) as error:
        fail(str(error), REFUSED_INPUT)
    if signer and not name:
        unsigned = f"manifest: not signed by any of {signer} (its lines: NAME KEYTYPE KEY)"
        found.insert(0, (SIGNATURE, unsigned if manifest.signature else "missing"))
    if not manifest.signature:
        signed = "not signed"
    elif not signer:
        signed = "signed, by whom was not asked (--signer FILE)"
    else:
        signed = f"signed by {name or 'somebody else'}"
    return found, f"{len(manifest.digests)} files, {signed}"


def _tell(found: list[Fault], summary: str, as_json: bool) -> None:
    import json

    if as_json:
        click.echo(json.dumps([{"file": file, "fault": what} for file, what in found], ensure_ascii=False, indent=1))
    else:
        for file, what in found:
            click.echo(f"{file}: {what}")
        click.echo(summary)
