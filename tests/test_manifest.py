"""``presskeep manifest``, ``verify --manifest``: whatever differs from what was held is named; torn ones are none."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from crawler import bag as bag_of
from crawler import manifest
from crawler.archive.locks import Lock
from crawler.archive.posts import replace, sync_files
from crawler.commands.manifest import command
from crawler.commands.verify import command as verify_command
from crawler.manifest import DIGESTS, FOLDER, INFO, SIGNATURE, TAGS, ManifestError, digest_of, load, make
from crawler.site import load_site
from tests.shop import Shop, new_shop

DAY = date(2026, 3, 9)
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
needs_keys = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen is installed")


class Held(Shop):
    """An archive with posts, an earlier version and two files of captures."""

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def manifest(self, *words: str | Path, code: int = 0) -> Result:
        done = CliRunner().invoke(command, [*map(str, words), "--archive", str(self.folder)])
        assert done.exit_code == code, done.output
        return done

    def verify(self, *words: str | Path, code: int = 0) -> list[str]:
        """Lines of faults, and the last."""
        done = CliRunner().invoke(verify_command, [*map(str, words), "--archive", str(self.folder)])
        assert done.exit_code == code, done.output
        return (done.stdout or done.stderr).splitlines()

    def tags(self) -> dict[str, tuple[int, bytes]]:
        """Of the manifest: name -> (time of change, bytes)."""
        files = (self.folder / FOLDER).iterdir()
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    shop = new_shop(tmp_path / "archive")
    made = Held(shop.folder, shop.ledger)
    for number in (1, 2, 3):
        made.keep(number)
    made.write("revisions/2026/03/02/2026-03-02-k1/1.md", b"before")
    made.write("outlets.yml", b"{}\n")
    for number in (1, 2):
        made.write(f".presskeep/captures/presskeep-2026030{number}000000-0000{number}.warc.gz", b"captures %d" % number)
    yield made
    shop.ledger.close()


def listed(data: bytes) -> dict[str, str]:
    """Path -> digest."""
    matches = [LINE.fullmatch(line) for line in data.decode().splitlines()]
    return {match[2]: match[1] for match in matches if match}


def test_every_file_that_the_archive_holds_is_named(held: Held) -> None:
    for name in ("_posts/.k9.md.12.ab.tmp", ".presskeep/captures/x.warc.gz.9.torn", "index.html", "_site/index.html"):
        held.write(name, b"not of the archive")
    (held.folder / "_posts" / "link.md").symlink_to(held.folder / "presskeep.yml")
    done = json.loads(held.manifest("--json").stdout)
    digests = listed((held.folder / FOLDER / DIGESTS).read_bytes())
    posts = [str(path.relative_to(held.folder)) for path in held.folder.glob("_posts/2*/**/*.md")]
    captures = [f".presskeep/captures/presskeep-2026030{n}000000-0000{n}.warc.gz" for n in (1, 2)]
    revision = "revisions/2026/03/02/2026-03-02-k1/1.md"
    sources = [str(path.relative_to(held.folder)) for path in held.folder.glob("sources/*")]
    assert list(digests) == sorted([*posts, *captures, revision, *sources, "presskeep.yml", "outlets.yml"])
    data = {name: (held.folder / name).read_bytes() for name in digests}
    assert digests == {name: sha256(one).hexdigest() for name, one in data.items()}
    size = sum(map(len, data.values()))
    assert done == {"files": len(data), "bytes": size, "read": len(data), "changed": True, "signed": False}
    info = dict(line.split(": ", 1) for line in (held.folder / FOLDER / INFO).read_text().splitlines())
    assert (info["Payload-Oxum"], info["Presskeep-Number"]) == (f"{size}.{len(data)}", "3")
    assert (info["External-Description"], info["External-Identifier"]) == ("Harbour & more", "https://archive.example/")
    assert re.fullmatch("[0-9a-f]{12}", info["Presskeep-Log"])
    tags = listed((held.folder / FOLDER / TAGS).read_bytes())
    assert set(tags) == {"bagit.txt", INFO, DIGESTS}
    assert tags == {name: sha256((held.folder / FOLDER / name).read_bytes()).hexdigest() for name in tags}
    assert held.verify("--manifest") == [f"{len(data)} files, not signed, 0 faults in {held.folder}"]


def test_again_only_what_is_new_is_read(held: Held) -> None:
    """A manifest that would say the same stays as it is, also on another day."""
    site = load_site(held.folder)
    assert make(held.folder, site, DAY).changed
    before = held.tags()
    again = make(held.folder, site, date(2026, 3, 10))
    assert (again.read, again.changed, held.tags()) == (0, False, before)
    held.keep(4)
    held.write("revisions/2026/03/02/2026-03-02-k1/1.md", b"before!")
    more = make(held.folder, site, date(2026, 3, 11))
    assert (more.read, more.changed) == (2, True)
    assert b"Bagging-Date: 2026-03-11\n" in more.manifest.tags[INFO]
    (held.folder / "revisions/2026/03/02/2026-03-02-k1/1.md").unlink()
    assert make(held.folder, site, DAY).read == 0
    assert held.verify("--manifest")[-1].startswith(f"{len(more.held) - 1} files")
    (held.folder / ".presskeep" / "manifest.stamps").write_bytes(b"\xff\nnonsense\n1 2 3 4 5\n")
    assert make(held.folder, site, DAY).read == len(more.held) - 1
    held.write(f"{FOLDER}/{INFO}", b"Bagging-Date: 2026-99-99\n")
    assert make(held.folder, site, DAY).changed


def test_what_rots_on_disk_is_found(held: Held) -> None:
    """Also after another manifest: a file that nobody touched keeps its digest."""
    path = held.folder / held.keep(4)
    held.manifest()
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    held.manifest()
    changed = f"{path.relative_to(held.folder)}: manifest: changed"
    assert held.verify("--manifest", code=1)[0] == changed


def test_what_is_missing_changed_or_added_is_named(held: Held) -> None:
    held.manifest()
    changed, missing = held.keep(1, title="改过的标题"), held.keep(2)
    (held.folder / missing).unlink()
    added = held.keep(9)
    *faults, summary = held.verify("--manifest", code=1)
    assert faults == sorted(
        [f"{changed}: manifest: changed", f"{missing}: manifest: missing", f"{added}: manifest: added since"]
    )
    assert summary.endswith(f"not signed, 3 faults in {held.folder}")
    told = json.loads("\n".join(held.verify("--manifest", "--json", code=1)))
    assert {"file": missing, "fault": "manifest: missing"} in told


def test_a_manifest_for_copies_without_captures(held: Held) -> None:
    held.manifest("--no-captures")
    assert not any("captures" in name for name in load(held.folder / FOLDER).digests)
    held.verify("--manifest")
    shutil.rmtree(held.folder / ".presskeep" / "captures")
    held.verify("--manifest")


def test_a_file_that_cannot_be_read_is_a_fault_like_others(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = held.keep(1), held.keep(2)
    held.manifest()
    (held.folder / second).write_bytes(b"changed")

    def bad(path: Path) -> str:
        if path.name.endswith("k1.md"):
            raise OSError(errno.EIO, "Input/output error")
        return digest_of(path)

    monkeypatch.setattr("crawler.manifest.digest_of", bad)
    told = held.verify("--manifest", code=1)
    assert told[:2] == [f"{first}: manifest: cannot be read (Input/output error)", f"{second}: manifest: changed"]


def test_a_manifest_may_be_kept_elsewhere(held: Held, tmp_path: Path) -> None:
    held.manifest()
    shutil.move(held.folder / FOLDER, tmp_path / "kept")
    held.verify("--manifest", tmp_path / "kept")
    held.verify("--manifest", tmp_path / "kept" / DIGESTS)
    assert "no whole manifest is there. Next: presskeep manifest" in held.verify("--manifest", code=2)[0]


def test_captures_that_lie_elsewhere_have_the_same_names(
    held: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.manifest()
    held.ledger.close()
    shutil.move(held.folder / ".presskeep", tmp_path / "state")
    assert len(held.verify("--manifest", code=1)) == 3
    monkeypatch.setenv("PRESSKEEP_STATE", str(tmp_path / "state"))
    held.verify("--manifest")
    assert json.loads(held.manifest("--json").stdout)["changed"] is False


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_manifest_is_whole_or_none(held: Held, write: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of its files could not be written any more; the next one is whole."""
    held.manifest()
    held.keep(7)
    written, site = 0, load_site(held.folder)

    def torn(path: Path, data: bytes) -> None:
        nonlocal written
        written += path.parent.name == FOLDER
        if written == write:
            raise OSError("the disk is full")
        replace(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("crawler.manifest.replace", torn)
        with pytest.raises(OSError, match="full"):
            make(held.folder, site, DAY)
    held.write(f"{FOLDER}/.{INFO}.12.ab.tmp", b"of a run that was killed")
    with pytest.raises(ManifestError, match="no whole manifest"):
        load(held.folder / FOLDER)
    held.manifest()
    held.verify("--manifest")
    assert set(held.tags()) == {DIGESTS, INFO, "bagit.txt", TAGS}


def test_files_of_two_manifests_are_no_manifest(held: Held) -> None:
    held.manifest()
    old = (held.folder / FOLDER / DIGESTS).read_bytes()
    held.keep(7)
    held.manifest()
    (held.folder / FOLDER / DIGESTS).write_bytes(old)
    assert f"{FOLDER}/{DIGESTS}: manifest: is not the one that the tag manifest names" in held.verify(
        "--manifest", code=1
    )
    tags = (held.folder / FOLDER / TAGS).read_bytes()
    held.write(f"{FOLDER}/{TAGS}", b"".join(line for line in tags.splitlines(True) if DIGESTS.encode() not in line))
    assert held.verify("--manifest", code=1)[0].startswith(f"{FOLDER}/{DIGESTS}: manifest: is not the one"), "left out"
    held.write(f"{FOLDER}/{DIGESTS}", b"0123  x\n")
    assert "line 1: expected a sha256 digest and a path" in held.verify("--manifest", code=2)[0]


def test_nobody_writes_meanwhile(held: Held) -> None:
    lock = Lock(held.folder)
    assert "another run is active" in held.manifest(code=75).stderr
    lock.release()
    held.manifest()


# signatures


def key_of(folder: Path, name: str) -> Path:
    """A new key; its line for allowed signers lies beside it."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    (folder / f"{name}.allowed").write_text(f"{name}@archive.example {(folder / f'{name}.pub').read_text()}")
    return folder / name


@needs_keys
def test_a_signature_tells_who_made_the_manifest(held: Held, tmp_path: Path) -> None:
    keeper, other = key_of(tmp_path, "keeper"), key_of(tmp_path, "other")
    ours, theirs = tmp_path / "keeper.allowed", tmp_path / "other.allowed"
    held.manifest()
    assert held.verify("--manifest", "--signer", ours, code=1)[0] == f"{SIGNATURE}: missing"
    assert json.loads(held.manifest("--sign", keeper, "--json").stdout)["changed"] is False
    assert "signed by keeper@archive.example, 0 faults" in held.verify("--manifest", "--signer", ours)[0]
    assert "signed, by whom was not asked (--signer FILE)" in held.verify("--manifest")[0]
    assert held.verify("--manifest", "--signer", theirs, code=1)[0].startswith(f"{SIGNATURE}: manifest: not signed by")
    assert json.loads(held.manifest("--json").stdout)["signed"] is True, "it is the same, and so is its signature"
    signed = (held.folder / FOLDER / SIGNATURE).read_bytes()
    held.keep(9)
    assert json.loads(held.manifest("--json").stdout)["signed"] is False, "the signature was of another"
    held.write(f"{FOLDER}/{SIGNATURE}", signed)
    assert held.verify("--manifest", "--signer", ours, code=1)[0].startswith(f"{SIGNATURE}: manifest: not signed by")
    held.manifest("--sign", other)
    held.verify("--manifest", "--signer", theirs)


@needs_keys
def test_what_cannot_be_signed_or_checked_says_why(held: Held, tmp_path: Path) -> None:
    assert "To make one: ssh-keygen -t ed25519" in held.manifest("--sign", tmp_path / "none", code=2).stderr
    assert "cannot sign (" in held.manifest("--sign", held.write("no.key", b"x"), code=2).stderr
    assert not (held.folder / FOLDER).exists()
    held.manifest()
    assert "no file of allowed signers" in held.verify("--manifest", "--signer", tmp_path / "none", code=2)[0]
    assert "--signer is for --manifest" in "\n".join(held.verify("--signer", tmp_path / "none", code=2))


def test_without_ssh_keygen_nothing_is_signed(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "comes with OpenSSH" in held.manifest("--sign", held.write("key", b"x"), code=2).stderr


# bags


@needs_keys
def test_a_bag_is_whole_and_stays_what_it_was(held: Held, tmp_path: Path) -> None:
    bag, key = tmp_path / "bag", key_of(tmp_path, "keeper")
    held.manifest("--bag", bag, "--sign", key)
    payload = {str(path.relative_to(bag)): path for path in (bag / "data").rglob("*") if path.is_file()}
    digests = listed((bag / DIGESTS).read_bytes())
    assert digests == {name: sha256(path.read_bytes()).hexdigest() for name, path in payload.items()}
    assert digests.keys() == {f"data/{name}" for name in load(held.folder / FOLDER).digests}
    tags = listed((bag / TAGS).read_bytes())
    assert tags == {name: sha256((bag / name).read_bytes()).hexdigest() for name in ("bagit.txt", INFO, DIGESTS)}
    size = sum(path.stat().st_size for path in payload.values())
    assert f"Payload-Oxum: {size}.{len(payload)}\n" in (bag / INFO).read_text()
    assert (bag / "bagit.txt").read_text() == "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert (bag / SIGNATURE).read_bytes().startswith(b"-----BEGIN SSH SIGNATURE-----")
    linked = {name for name, path in payload.items() if path.stat().st_nlink > 1}
    first, latest = (f"data/.presskeep/captures/presskeep-2026030{n}000000-0000{n}.warc.gz" for n in (1, 2))
    assert all(name in linked for name in payload if name.startswith(("data/_posts", "data/revisions")))
    assert first in linked
    assert not linked & {latest, "data/presskeep.yml", "data/outlets.yml"}, "they are written into where they lie"
    assert not any(name.startswith("data/sources/") for name in linked)
    assert "is there already" in held.manifest("--bag", bag, code=2).stderr


def test_a_bag_is_whole_or_absent(held: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where files cannot be linked."""
    (tmp_path / "bags").mkdir()

    def torn(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("crawler.bag.shutil.copy2", torn)
        held.manifest("--bag", tmp_path / "bags" / "one", code=74)
    assert list((tmp_path / "bags").iterdir()) == []
    monkeypatch.setattr("crawler.bag.os.link", torn)
    held.manifest("--bag", tmp_path / "bags" / "one")
    payload = [path for path in (tmp_path / "bags" / "one" / "data").rglob("*") if path.is_file()]
    assert len(payload) == len(load(held.folder / FOLDER).digests)


def test_a_bag_is_durable(held: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files, then its folders, then its name."""
    steps: list[tuple[str, list[Path]]] = []
    rename = Path.rename

    def synced(folder: Path, paths: Sequence[Path]) -> None:
        steps.append(("sync", [path.relative_to(folder) for path in paths]))
        assert [path.is_dir() for path in paths] == sorted(path.is_dir() for path in paths)
        sync_files(folder, paths)

    def renamed(path: Path, to: Path) -> Path:
        steps.append(("rename", [to]))
        return rename(path, to)

    monkeypatch.setattr(bag_of, "sync_files", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    held.manifest("--bag", tmp_path / "bag")
    assert [step for step, _ in steps] == ["sync", "rename"]
    assert {*steps[0][1]} == {path.relative_to(tmp_path / "bag") for path in (tmp_path / "bag").rglob("*")} | {Path()}


NAMES = st.text(st.characters(exclude_characters="\0", categories=["L", "N", "P", "S", "Z", "Cc", "Cs"]), min_size=1)


@given(st.dictionaries(NAMES, st.binary(max_size=9).map(lambda data: sha256(data).hexdigest()), max_size=4))
def test_any_name_can_be_written_and_read(digests: dict[str, str]) -> None:
    """One line each; names that are no UTF-8 as well."""
    digests = {os.fsdecode(name.encode("utf-8", "surrogatepass")): digest for name, digest in digests.items()}
    data = manifest._lines(digests)
    assert len(re.split(rb"[\r\n]+", data)) == len(digests) + 1
    assert manifest._parsed(Path("x"), data) == digests
    assert manifest._parsed(Path("x"), data.replace(b"\n", b"\r\n")) == digests, "as other makers end their lines"
