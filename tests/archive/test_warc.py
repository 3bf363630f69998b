"""WARC files of any maker as a stream: however they are packed, wherever they are torn, from whatever place."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import warc
from crawler.archive.captures import Response, payload_digest, record_bytes
from crawler.archive.warc import Place, Reader, Record

PACKINGS = ("members", "one member", "plain")


def record(number: int = 1, block: bytes = b"", kind: str = "response", **fields: str) -> bytes:
    block = block or f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>{number}</p>".encode()
    head = {"WARC-Type": kind, "WARC-Target-URI": f"https://gazette.example/{number}"}
    head |= {"WARC-Date": "2024-02-29T12:30:00Z", "Content-Type": "application/http; msgtype=response"}
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = {"Content-Length": str(len(block)), **head}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def packed(records: Sequence[bytes], packing: str) -> bytes:
    if packing == "members":
        return b"".join(gzip.compress(one, 1, mtime=0) for one in records)
    return gzip.compress(b"".join(records), 1, mtime=0) if packing == "one member" else b"".join(records)


def read(data: bytes, place: Place | None = None) -> tuple[list[Record], Reader]:
    stream = io.BytesIO(data)
    stream.seek(place.offset if place else 0)
    reader = Reader(stream, place=place)
    return list(reader), reader


blocks = st.lists(st.binary(max_size=300).map(lambda data: b"x" + data), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(blocks, st.sampled_from(PACKINGS), st.sampled_from([7, 100, 1 << 16]))
def test_every_record_comes_back_and_reading_goes_on_after_any(data: list[bytes], packing: str, chunk: int) -> None:
    made = packed([record(number, one) for number, one in enumerate(data)], packing)
    before, warc._CHUNK = warc._CHUNK, chunk
    try:
        found, reader = read(made)
        assert [one.block for one in found] == data
        assert (reader.records, reader.faults) == (len(data), 0)
        for number, one in enumerate(found, 1):
            assert [later.block for later in read(made, one.after)[0]] == data[number:]
    finally:
        warc._CHUNK = before


@settings(max_examples=60, deadline=None)
@given(blocks, st.sampled_from(PACKINGS), st.floats(0, 1))
def test_a_file_that_is_cut_short_gives_what_is_whole(data: list[bytes], packing: str, part: float) -> None:
    made = packed([record(number, one) for number, one in enumerate(data)], packing)
    cut = made[: int(len(made) * part)]
    found, reader = read(cut)
    assert [one.block for one in found] == data[: len(found)]
    assert reader.faults <= 1
    assert reader.faults or packing != "one member" or len(cut) in (0, len(made))


@settings(max_examples=150, deadline=None)
@given(blocks, st.sampled_from(PACKINGS), st.data())
def test_damage_is_counted_and_never_raises(data: list[bytes], packing: str, draw: st.DataObject) -> None:
    made = bytearray(packed([record(number, one) for number, one in enumerate(data)], packing))
    for _ in range(3):
        made[draw.draw(st.integers(0, len(made) - 1))] = draw.draw(st.integers(0, 255))
    found, _ = read(bytes(made))
    assert len(found) <= len(data) + 3
    for one in found:
        try:
            one.response()
        except ValueError:
            continue


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_wrong_costs_itself_alone(packing: str) -> None:
    broken = record(2).replace(b"Content-Length: ", b"Content-Length: x")
    found, reader = read(packed([record(1), broken, record(3)], packing))
    assert [one.fields["warc-target-uri"][-1] for one in found] == ["1", "3"]
    assert reader.faults == 1
    assert "a record without its length" in reader.told[0]


def test_a_damaged_member_costs_itself_alone() -> None:
    members = [gzip.compress(record(number), mtime=0) for number in range(4)]
    for damaged in (members[1][:-20], members[1][:12] + b"\xff\xff" + members[1][14:], b"\0" * 40, b""):
        found, reader = read(b"".join([members[0], damaged, *members[2:]]))
        assert [one.fields["warc-target-uri"][-1] for one in found] == ["0", "2", "3"]
        assert reader.faults == bool(damaged)


def test_what_is_not_wanted_and_what_is_too_large_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "LARGEST", 1000)
    made = packed([record(1), record(2, b"y" * 1001), record(3, kind="request"), record(4)], "members")
    reader = Reader(io.BytesIO(made), lambda fields: fields["warc-type"] == "response")
    assert [one.fields["warc-target-uri"][-1] for one in reader] == ["1", "4"]
    assert reader.told == [f"at {len(gzip.compress(record(1), 1, mtime=0))}: a record of 1001 bytes, more than 1000"]


@pytest.mark.parametrize(
    ("head", "body", "payload"),
    [
        (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"Transfer-Encoding: chunked", b"<p>freed already</p>", b"<p>freed already</p>"),
        (b"X-Crawl-Transfer-Encoding: chunked", b"<p>as it is</p>", b"<p>as it is</p>"),
    ],
)
def test_chunks_are_undone_and_the_capture_made_of_it_reads(head: bytes, body: bytes, payload: bytes) -> None:
    ((one,), _) = read(record(1, b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body))
    found = one.response()
    assert (found.url, found.status, found.payload) == ("https://gazette.example/1", 200, payload)
    ((again,), _) = read(record_bytes(found, payload_digest(found.payload)))
    assert again.response().payload == payload


def test_what_is_no_response() -> None:
    found, _ = read(record(1, b"GET / HTTP/1.1\r\n\r\n", kind="request") + record(2, b"nonsense"))
    for one, what in zip(found, ("a record of the type 'request'", "its status line"), strict=True):
        with pytest.raises(ValueError, match=what):
            one.response()


def test_others_agree() -> None:
    made = [Response(f"https://gazette.example/{n}", 200, (), b"%d" % n * 99, "2024-02-29T12:30:00Z", {})
            for n in range(5)]  # fmt: skip
    data = b"".join(record_bytes(one, payload_digest(one.payload)) for one in made)
    theirs = [one.content_stream().read() for one in ArchiveIterator(io.BytesIO(data))]
    assert [one.response().payload for one in read(data)[0]] == theirs == [one.payload for one in made]


def test_a_bomb_is_never_held_whole() -> None:
    """100 MB of blanks in a record that is passed over."""
    head = record(1, b"-").replace(b"Content-Length: 1\r\n", b"Content-Length: 100000000\r\n").partition(b"\r\n\r\n")[0]
    data = gzip.compress(head + b"\r\n\r\n" + b" " * 100_000_000 + b"\r\n\r\n", 1, mtime=0) + packed(
        [record(2)], "members"
    )
    reader = Reader(io.BytesIO(data))
    assert [one.fields["warc-target-uri"][-1] for one in reader] == ["2"]
    assert reader.faults == 1
