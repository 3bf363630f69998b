"""Captures: records come back as they were, others can read them, and nothing cut or damaged passes for whole."""

from __future__ import annotations

import errno
import gzip
import io
import os
import resource
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import captures
from crawler.archive.captures import (
    CaptureError,
    CaptureStore,
    Response,
    payload_digest,
    read_capture,
    read_segment,
    record_bytes,
    unpacked,
    warc_date,
)
from crawler.archive.ledger import Capture
from tests.shared import SHARED, needs_shared

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)


def response(number: int = 1, payload: bytes = b"", **changes: object) -> Response:
    values: dict[str, object] = {
        "url": f"https://gazette.example/a/{number}.html?q=%E6%96%B0",
        "status": 200,
        "headers": (("Content-Type", "text/html; charset=utf-8"), ("X-Name", "é"), ("Set-Empty", "")),
        "payload": payload or f"<p>article {number}</p>\r\n\r\nafter a blank line 新闻".encode(),
        "date": "2024-02-29T12:30:00Z",
        "notes": {"source": "gazette", "key": f"k{number}", "role": "article"},
    }
    return Response(**{**values, **changes})  # type: ignore[arg-type]


def noise(number: int, size: int) -> bytes:
    """Bytes that no compressor makes smaller; the same ones each time."""
    return b"".join(payload_digest(b"%d %d" % (number, n)).encode() for n in range(size // 64 + 1))[:size]


def store(folder: Path, limit: int = 10**9) -> CaptureStore:
    return CaptureStore(folder / "captures", limit, NOW)


def add(to: CaptureStore, *numbers: int) -> list[Capture]:
    return [to.add(one := response(number), payload_digest(one.payload)) for number in numbers]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "captures").iterdir())


def segment(folder: Path, data: bytes) -> Path:
    path = folder / "foreign.warc.gz"
    path.write_bytes(data)
    return path


# records


def test_a_record_is_one_gzip_member_and_comes_back(tmp_path: Path) -> None:
    one = response()
    data = record_bytes(one, payload_digest(one.payload))
    whole = gzip.decompress(data)
    assert whole.startswith(b"WARC/1.1\r\nWARC-Type: response\r\n")
    assert whole.endswith(one.payload + b"\r\n\r\n")
    ((capture, back),) = read_segment(segment(tmp_path, data))
    assert back == one
    assert capture == Capture(payload_digest(one.payload), one.url, "foreign.warc.gz", 0, len(data))
    assert read_capture(tmp_path, capture) == one


def test_the_same_response_gives_the_same_bytes_and_another_gives_others() -> None:
    digest = payload_digest(response().payload)
    assert record_bytes(response(), digest) == record_bytes(response(), digest)
    later = record_bytes(response(date="2024-02-29T12:30:01Z"), digest)
    identities = {
        line
        for data in (record_bytes(response(), digest), later)
        for line in gzip.decompress(data).split(b"\r\n")
        if line.startswith(b"WARC-Record-ID")
    }
    assert len(identities) == 2


def test_a_packed_body_is_not_packed_again_any_other_is() -> None:
    text = b"<p>the same again</p>" * 500
    packed = gzip.compress(text, mtime=0)
    plain = record_bytes(response(payload=text), "d")
    stored = record_bytes(response(payload=packed, headers=(("Content-encoding", "gzip"),)), "d")
    assert packed in stored, "packing it again costs nine tenths of a capture"
    assert len(plain) < len(text) / 10


def test_notes_keep_to_their_line() -> None:
    data = gzip.decompress(record_bytes(response(notes={"key": "a\r\nWARC-Type: request", "role": ""}), "sha256:X"))
    assert b"Presskeep-Key: a WARC-Type: request\r\n" in data
    assert b"Presskeep-Role" not in data


def test_the_digest_is_sha256_in_base32() -> None:
    assert payload_digest(b"") == "sha256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ===="


def test_dates_are_in_utc() -> None:
    assert warc_date(datetime(2024, 3, 1, 1, 0, 0, 999, tzinfo=timezone(timedelta(hours=8)))) == "2024-02-29T17:00:00Z"


PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("C", "Z")), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            Response,
            url=PLAIN.map(lambda text: f"http://a.example/{text}"),
            status=st.integers(100, 599),
            headers=st.lists(
                st.tuples(
                    st.text("abcXYZ-", min_size=1).filter(lambda name: name.lower() != "transfer-encoding"), PLAIN
                )
            ).map(tuple),
            payload=st.binary(max_size=200) | st.just(b"\r\n\r\n") | st.just(b"WARC/1.1\r\n"),
            date=st.just("2024-02-29T12:30:00Z"),
            notes=st.dictionaries(st.sampled_from(["source", "key", "role"]), PLAIN.filter(bool)),
        ),
        min_size=1,
        max_size=4,
    )
)
@example([response(url="http://a.example/a>"), response(url="http://a.example/<b>")])
def test_whatever_was_written_is_read_by_us_and_checked_by_warcio(
    tmp_path_factory: pytest.TempPathFactory, made: list[Response]
) -> None:
    data = [record_bytes(one, payload_digest(one.payload)) for one in made]
    path = segment(tmp_path_factory.mktemp("any"), b"".join(data))
    assert [back for _, back in read_segment(path)] == made
    assert [capture.length for capture, _ in read_segment(path)] == [len(one) for one in data]
    records = ArchiveIterator(io.BytesIO(path.read_bytes()), check_digests="raise")
    for one, record in zip(made, records, strict=True):
        assert record.content_stream().read() == one.payload
        assert record.digest_checker.passed is True


def test_warcio_finds_every_member_and_right_digests(tmp_path: Path) -> None:
    to = store(tmp_path)
    made = add(to, 1, 2, 3)
    to.take()
    to.close()
    path = tmp_path / "captures" / made[0].segment
    with path.open("rb") as file:
        records = ArchiveIterator(file, check_digests="raise")
        for number, record in enumerate(records, 1):
            assert record.rec_type == "response"
            assert record.rec_headers.get_header("WARC-Target-URI") == response(number).url
            assert record.rec_headers.get_header("Presskeep-Key") == f"k{number}"
            assert record.http_headers.get_statuscode() == "200"
            assert record.raw_stream.read() == response(number).payload
            assert record.digest_checker.passed is True
            assert records.get_record_offset() == made[number - 1].offset
            assert records.get_record_length() == made[number - 1].length
    assert number == 3


# what is not whole


def test_a_file_cut_anywhere_in_its_last_record_is_told(tmp_path: Path) -> None:
    data = [record_bytes(response(number), payload_digest(response(number).payload)) for number in (1, 2)]
    whole = b"".join(data)
    for end in range(len(data[0]) + 1, len(whole)):
        path = segment(tmp_path, whole[:end])
        records = read_segment(path)
        assert next(records)[1] == response(1)
        with pytest.raises(CaptureError, match=rf"foreign\.warc\.gz at {len(data[0])}: the record is cut short"):
            next(records)
    assert len(list(read_segment(segment(tmp_path, whole)))) == 2


def test_a_changed_byte_anywhere_is_told(tmp_path: Path) -> None:
    one = response()
    data = record_bytes(one, payload_digest(one.payload))
    capture = Capture(payload_digest(one.payload), one.url, "foreign.warc.gz", 0, len(data))
    for place in range(len(data)):
        if place in range(3, 10):  # hints, time, level and system in gzip's header, which nothing covers
            continue
        segment(tmp_path, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(CaptureError):
            read_capture(tmp_path, capture)


def test_what_the_ledger_says_of_a_capture_is_checked(tmp_path: Path) -> None:
    to = store(tmp_path)
    first, second = add(to, 1, 2)
    folder = tmp_path / "captures"
    assert read_capture(folder, second) == response(2)  # also while the segment is open
    to.close()
    assert read_capture(folder, first) == response(1)
    with pytest.raises(CaptureError, match="the digest differs"):
        read_capture(folder, Capture(first.digest, second.url, second.segment, second.offset, second.length))
    with pytest.raises(CaptureError, match="at 1"):
        read_capture(folder, Capture(first.digest, first.url, first.segment, 1, first.length))
    with pytest.raises(CaptureError, match="No such file"):
        read_capture(folder, Capture(first.digest, first.url, "presskeep-0.warc.gz", 0, 9))


def member(*lines: str, block: bytes = b"", end: bytes = b"\r\n\r\n", length: int | None = None) -> bytes:
    size = [f"Content-Length: {len(block) if length is None else length}"]
    return gzip.compress("\r\n".join(["WARC/1.0", *lines, *size, "", ""]).encode() + block + end, mtime=0)


HTTP = (
    "WARC-Type: response",
    "WARC-Target-URI: <http://a.example/>",
    "Content-Type: application/http;msgtype=response",
)
OK = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"


def test_other_kinds_of_records_are_passed_over(tmp_path: Path) -> None:
    data = [
        member("WARC-Type: warcinfo", "Content-Type: application/warc-fields", block=b"software: x\r\n"),
        member(
            "WARC-Type: request", "WARC-Target-URI: http://a.example/", "Content-Type: application/http", block=b"GET"
        ),
        member(*HTTP, block=OK),
        member("WARC-Type: response", "WARC-Target-URI: dns:a.example", "Content-Type: text/dns", block=b"20240229"),
        member("WARC-Type: revisit", "WARC-Target-URI: http://a.example/", "Content-Type: application/http", block=OK),
    ]
    ((capture, back),) = read_segment(segment(tmp_path, b"".join(data)))
    assert (back.url, back.status, back.headers, back.payload) == ("http://a.example/", 200, (("A", "b"),), b"body")
    assert (capture.offset, capture.length) == (len(data[0]) + len(data[1]), len(data[2]))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"WARC/1.1\r\n", "at 0: Error -3"),
        (gzip.compress(b"hello", mtime=0), "at 0: no WARC record"),
        (gzip.compress(b"", mtime=0), "at 0: no WARC record"),
        (member(*HTTP, block=OK, length=len(OK) + 9), f"at 0: {len(OK) + 4} bytes where {len(OK) + 9} are due"),
        (member(*HTTP, block=OK, length=-5), "are due"),
        (gzip.compress(b"WARC/1.0\r\nWARC-Type: response\r\n\r\n", mtime=0), "at 0: 0 bytes where -1 are due"),
        (gzip.compress(b"WARC/1.0\r\nContent-Length: x\r\n\r\n", mtime=0), "at 0: invalid literal"),
        (member(HTTP[0], HTTP[2], block=OK), "at 0: the response lacks its address"),
        (member(*HTTP, block=b"nonsense"), "at 0: the response lacks its status line"),
        (member(*HTTP, block=b"HTTP/1.1\r\n\r\n"), "at 0: the response lacks its status line"),
        (
            gzip.compress(gzip.decompress(member(*HTTP, block=OK)) * 2, mtime=0),
            "at 0: several records in one gzip member",
        ),
        (member(*HTTP, block=OK) + b"\0" * 20, "at "),
        (member(*HTTP, block=OK)[:-8], "at 0: the record is cut short"),
    ],
)
def test_what_is_no_such_file_is_told(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(CaptureError, match=r"foreign\.warc\.gz") as raised:
        list(read_segment(segment(tmp_path, data)))
    assert what in str(raised.value)


def chunked(body: bytes) -> bytes:
    return member(*HTTP, block=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b"3\r\nabc\r\nA;name=x\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (b"0\r\n\r\n", b""),
        (b"2\r\n\r\n\r\n0\r\nTrailer: x\r\n\r\n", b"\r\n"),
        (b"003 \r\nabc\r\n0\r\n\r\n", b"abc"),
    ],
)
def test_chunked_bodies_of_other_crawlers(tmp_path: Path, body: bytes, payload: bytes) -> None:
    ((capture, back),) = read_segment(segment(tmp_path, chunked(body)))
    assert back.payload == payload
    assert capture.digest == payload_digest(payload)


@pytest.mark.parametrize(
    "body",
    [b"", b"3\r\nabc\r\n", b"9\r\nabc\r\n0\r\n\r\n", b"-6\r\nabc", b"0x3\r\nabc\r\n0\r\n", b"zz\r\n", b"\r\n0\r\n\r\n"],
)
def test_chunked_bodies_without_an_end_are_told(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(CaptureError, match="the chunked body has no end"):
        list(read_segment(segment(tmp_path, chunked(body))))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.booleans())
def test_nothing_but_capture_errors(tmp_path_factory: pytest.TempPathFactory, data: bytes, packed: bool) -> None:
    path = segment(tmp_path_factory.mktemp("any"), chunked(data) if packed else data)
    try:
        found = list(read_segment(path))
    except CaptureError:
        found = []
    assert all(isinstance(back, Response) for _, back in found)


@pytest.mark.parametrize(
    ("headers", "payload", "body"),
    [
        ((), b"plain", b"plain"),
        ((("content-encoding", "gzip"),), gzip.compress(b"text", mtime=0), b"text"),
        ((("Content-Encoding", "X-GZIP"),), gzip.compress(b"text", mtime=0), b"text"),
        ((("Content-Encoding", "deflate"),), zlib.compress(b"text"), b"text"),
        ((("Content-Encoding", "deflate"),), zlib.compress(b"text")[2:-4], b"text"),
        ((("Content-Encoding", "gzip, gzip"),), gzip.compress(gzip.compress(b"text", mtime=0), mtime=0), b"text"),
        ((("Content-Encoding", "br"),), brotli.compress(b"text"), b"text"),
        ((("Content-Encoding", "br"),), b"as it came", b"as it came"),
        ((("Content-Encoding", "zstd"),), b"as it came", b"as it came"),
        ((("Content-Encoding", "gzip"),), b"<p>not packed at all</p>", b"<p>not packed at all</p>"),
    ],
)
def test_unpacking(headers: tuple[tuple[str, str], ...], payload: bytes, body: bytes) -> None:
    assert unpacked(response(payload=payload, headers=headers)) == body


def test_unpacking_ends_somewhere() -> None:
    bomb = response(payload=gzip.compress(b"0" * 10**6, mtime=0), headers=(("Content-Encoding", "gzip"),))
    assert len(unpacked(bomb, 1000)) == 1000


# segments


def test_nothing_is_touched_before_the_first_record(tmp_path: Path) -> None:
    to = store(tmp_path)
    assert to.take() == ([], {})
    to.close()
    assert list(tmp_path.iterdir()) == []


def test_a_segment_is_open_until_it_is_closed(tmp_path: Path) -> None:
    to = store(tmp_path)
    made = add(to, 1, 2)
    assert names(tmp_path) == ["presskeep-20240229123000-00001.warc.gz.open"]
    assert [capture.segment for capture in made] == ["presskeep-20240229123000-00001.warc.gz"] * 2
    assert made[1].offset == made[0].length
    assert to.take() == (made, {made[0].segment: made[1].offset + made[1].length})
    assert to.take() == ([], {})
    to.close()
    assert names(tmp_path) == ["presskeep-20240229123000-00001.warc.gz"]


def test_what_was_added_is_known_until_it_is_taken(tmp_path: Path) -> None:
    to = store(tmp_path)
    (made,) = add(to, 1)
    assert to.has(made.digest, made.url)
    assert not to.has(made.digest, "http://other.example/")
    to.take()
    assert not to.has(made.digest, made.url)
    to.close()


def test_segments_roll_at_the_limit_and_a_later_run_fills_the_last(tmp_path: Path) -> None:
    size = len(record_bytes(response(1), payload_digest(response(1).payload)))
    to = store(tmp_path, size * 2 - 20)
    made = add(to, 1, 2, 3)
    sizes = to.take()[1]
    to.close()
    first, last = made[0].segment, made[2].segment
    assert [capture.segment for capture in made] == [first, first, last]
    assert names(tmp_path) == [first, last]
    assert sizes == {first: made[1].offset + made[1].length, last: made[2].length}

    later = CaptureStore(tmp_path / "captures", size * 2 - 20, NOW + timedelta(days=1))
    again = add(later, 4, 5)
    assert (again[0].segment, again[0].offset) == (last, made[2].length)
    assert again[1].segment == "presskeep-20240301123000-00003.warc.gz"
    later.take()
    later.close()
    for number, capture in enumerate([*made, *again], 1):
        assert read_capture(tmp_path / "captures", capture) == response(number)
    assert sum(len(list(read_segment(path))) for path in (tmp_path / "captures").iterdir()) == 5


def test_records_are_durable_before_they_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def record(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    to = store(tmp_path)
    (made,) = add(to, 1)
    assert synced == ["captures"]  # the new segment's name
    to.take()
    assert synced == ["captures", f"{made.segment}.open"]
    to.take()
    assert len(synced) == 2
    to.close()
    assert synced[2:] == [f"{made.segment}.open", "captures"]


# full disks


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes: a real short write, then a real error, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [100, 5_000, 9_000, 70_000])
def test_a_full_disk_leaves_the_segment_as_it_was(tmp_path: Path, size: int) -> None:
    to = store(tmp_path)
    (first,) = add(to, 1)
    path = tmp_path / "captures" / f"{first.segment}.open"
    big = response(2, payload=noise(2, size))
    with room_for(first.length + size // 2), pytest.raises(OSError) as raised:
        to.add(big, payload_digest(big.payload))
    assert raised.value.errno == errno.EFBIG
    assert path.stat().st_size == first.length
    (third,) = add(to, 3)
    assert third.offset == first.length
    assert to.take() == ([first, third], {first.segment: first.length + third.length})
    to.close()
    assert [back for _, back in read_segment(tmp_path / "captures" / first.segment)] == [response(1), response(3)]


def test_short_writes_are_gone_on_with() -> None:
    class Slow(io.BytesIO):
        def write(self, data: object, /) -> int:
            return super().write(bytes(data)[:7])  # type: ignore[call-overload]

    slow = Slow()
    captures._write(slow, b"0123456789" * 10)  # type: ignore[arg-type]
    assert slow.getvalue() == b"0123456789" * 10


# after a kill


def killed(folder: Path) -> tuple[list[Capture], dict[str, int]]:
    """Two records that the ledger knows, and one and a half behind them that it does not."""
    to = store(folder)
    add(to, 1, 2)
    made, sizes = to.take()
    add(to, 3)
    with (folder / "captures" / f"{made[0].segment}.open").open("ab") as file:
        file.write(record_bytes(response(4), "sha256:X")[:50])
    assert to._file is not None
    to._file.close()
    return made, sizes


def test_the_uncommitted_tail_is_set_aside_and_the_segment_closed(tmp_path: Path) -> None:
    made, sizes = killed(tmp_path)
    name, size = made[0].segment, sizes[made[0].segment]
    tail = (tmp_path / "captures" / f"{name}.open").read_bytes()[size:]
    assert store(tmp_path).recover(sizes) == [f"{name}: {len(tail)} uncommitted bytes set aside"]
    assert names(tmp_path) == [name, f"{name}.{size}.torn"]
    assert (tmp_path / "captures" / f"{name}.{size}.torn").read_bytes() == tail
    assert [back for _, back in read_segment(tmp_path / "captures" / name)] == [response(1), response(2)]
    assert store(tmp_path).recover(sizes) == []
    later = store(tmp_path)
    (third,) = add(later, 3)
    assert (third.segment, third.offset) == (name, size)
    later.take()
    later.close()
    assert len(list(read_segment(tmp_path / "captures" / name))) == 3


def test_a_segment_that_the_ledger_never_knew_goes_aside_as_a_whole(tmp_path: Path) -> None:
    to = store(tmp_path)
    (made,) = add(to, 1)
    data = (tmp_path / "captures" / f"{made.segment}.open").read_bytes()
    assert store(tmp_path).recover({}) == [f"{made.segment}: {made.length} uncommitted bytes set aside"]
    assert names(tmp_path) == [f"{made.segment}.0.torn"]
    assert (tmp_path / "captures" / f"{made.segment}.0.torn").read_bytes() == data
    assert to._file is not None
    to._file.close()


def test_a_closed_segment_that_grew_beyond_the_ledger_is_cut(tmp_path: Path) -> None:
    made, sizes = killed(tmp_path)
    name = made[0].segment
    (tmp_path / "captures" / f"{name}.open").rename(tmp_path / "captures" / name)
    assert len(store(tmp_path).recover(sizes)) == 1
    assert (tmp_path / "captures" / name).stat().st_size == sizes[name]


def test_files_of_others_stay_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    (folder / "eastmoney.warc.gz").write_bytes(b"not in the ledger")
    (folder / "old.warc.gz.7.torn").write_bytes(b"aside")
    assert store(tmp_path).recover({}) == []
    assert names(tmp_path) == ["eastmoney.warc.gz", "old.warc.gz.7.torn"]


def test_a_run_that_could_not_commit_leaves_its_segment_open(tmp_path: Path) -> None:
    to = store(tmp_path)
    (made,) = add(to, 1)
    to.close()
    assert names(tmp_path) == [f"{made.segment}.open"]


@needs_shared
def test_the_seed_s_captures_are_read_to_their_end() -> None:
    found = list(read_segment(SHARED / "seed" / "eastmoney.warc.gz"))
    with (SHARED / "seed" / "eastmoney.warc.gz").open("rb") as file:
        others = [record.rec_type for record in ArchiveIterator(file)]
    assert len(found) == others.count("response") > 0
    assert all(back.status == 200 and back.payload for _, back in found)
