"""What list pages in WARC files say of articles whose own answers do not say all: those of text endpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from crawler.archive.warc import Reader, Record
from crawler.download import LocalFile
from crawler.rebuild import ListReader
from crawler.sources import Source
from crawler.warcs import Listed, is_address


def listed(files: Sequence[str | Path], sources: Sequence[Source]) -> Listed:
    """By the lists' own addresses, and by what presskeep notes in its captures. Files on the web are not read for it,
    for they would be asked for twice. Raises FileNotFoundError."""
    lists = _Lists([source for source in sources if source.article.address != "{url}"])
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name in files if lists.readers else ():
        for record in [] if is_address(name) else lists.records(Path(name)):
            lists.read(record, found)
    return found


class _Lists:
    """The lists of some sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.readers = {source.id: ListReader(source) for source in sources}
        self._by_address: defaultdict[str, list[str]] = defaultdict(list)
        for source in sources:
            for one in source.lists:
                for address in one.addresses:
                    self._by_address[address].append(source.id)

    def records(self, path: Path) -> Iterator[Record]:
        """Those that hold a list page."""
        with closing(LocalFile(path)) as file:
            yield from Reader(file, lambda fields: bool(self._sources(fields)))

    def read(self, record: Record, found: dict[tuple[str, str], dict[str, str]]) -> None:
        """What the page says of articles; of several mentions the first counts."""
        try:
            response = record.response()
        except ValueError:
            return
        for source in self._sources(record.fields):
            for entry in self.readers[source].entries(response):
                if not entry.refused:
                    found.setdefault((source, entry.key), entry.hints)

    def _sources(self, fields: Mapping[str, str]) -> Sequence[str]:
        """Whose list the record is."""
        noted = fields.get("presskeep-source", "") if fields.get("presskeep-role") == "list" else ""
        return (
            [noted]
            if noted in self.readers
            else self._by_address.get(fields.get("warc-target-uri", "").strip("<>"), ())
        )
