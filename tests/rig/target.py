"""One crawl of the rig's site: ``python -m tests.rig.target BASE OUT STATE``; its exit code is presskeep's.

``PRESSKEEP_RIG_DELAY`` (seconds) and ``PRESSKEEP_RIG_CONCURRENCY`` set the pace, ``PRESSKEEP_RIG_TIMEOUT`` (seconds)
how long an answer may take.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """\
id: rig
name: Rig
home: {base}/
language: zh-CN
timezone: Asia/Shanghai
example: {base}/a/jingjicankaobao/NW202201012300031677.html
politeness: {{delay: {delay}, concurrency: {concurrency}, contact: "https://presskeep.example/rig"}}
expect: {{characters: 40}}
lists:
  - kind: html
    urls: {base}/
    lists: ul.cats a::attr(href)
    items: ul.newslist:not(.latest) li
    fields:
      section: {{xpath: //title, regex: (.+)新闻 第}}
    pages: {{next: "a.next::attr(href)", depth: 60}}
key:
  patterns: ['/(?:a|amp|m|print)/\\w+/([^/.?#]+)\\.html', 'infoCode=([^&#]+)']
layouts:
  - title: h1.title
    body: "#ContentBody"
    published: span.time
    attribution: span.source
    canonical: link[rel=canonical]::attr(href)
    strip: [.ad, aside, .rel]
post:
  file: "{{key}}"
  category: "{{section_slug}}"
  tags: ["{{section}}新闻"]
"""
_CALL = """\
import os
from crawler import cli, settings
settings.DOWNLOAD_TIMEOUT = float(os.environ.get("PRESSKEEP_RIG_TIMEOUT", settings.DOWNLOAD_TIMEOUT))
cli.main()
"""


def main(base: str, out: str, state: str) -> int:
    """Write the source, crawl it."""
    delay = os.environ.get("PRESSKEEP_RIG_DELAY", "0.005")
    concurrency = os.environ.get("PRESSKEEP_RIG_CONCURRENCY", "8")
    source = Path(state) / "rig.yml"
    source.write_text(SOURCE.format(base=base, delay=delay, concurrency=concurrency), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYPINYIN_NO_PHRASES": "true"}
    words = ["crawl", str(source), "--archive", out, "--state", str(Path(state) / "state")]
    return subprocess.call([sys.executable, "-c", _CALL, *words], env=env)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
