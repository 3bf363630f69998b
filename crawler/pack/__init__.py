"""Packed months: pages that presskeep renders once, so that Jekyll's cost does not grow with the archive.

A packed month's posts stay where they are; lines in ``_config.yml`` hide them from Jekyll (exclude.py), and their pages
lie below ``packed/``, laid out as the site is. window.py says which months, surroundings.py what lies around each,
month.py and pages.py which pages a month has, record.py what is known of those that are there, files.py writes them.
"""

from crawler.pack.faults import faults
from crawler.pack.pack import pack, unpack
from crawler.pack.window import FOLDER

__all__ = ["FOLDER", "faults", "pack", "unpack"]
