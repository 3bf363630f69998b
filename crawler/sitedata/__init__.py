"""What the site knows of its posts beyond the posts: stubs, pages of front matter alone, and files below ``_data``.

All of it follows from ledger and posts: deleting it loses nothing. tables.py is the form of the data files, facts.py
what the archive knows of a post, pages.py which files there are to be, upkeep.py how they come to be there.
"""

from crawler.sitedata.facts import facts_of
from crawler.sitedata.pages import FOLDERS as PAGES
from crawler.sitedata.upkeep import faults, refresh

__all__ = ["PAGES", "facts_of", "faults", "refresh"]
