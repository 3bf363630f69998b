"""Scrapy settings under presskeep's one name: ``scrapy.cfg`` of an archive points here."""

import presskeep  # noqa: F401  puts the packages on the path

from crawler.settings import *  # noqa: F403
