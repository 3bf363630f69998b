"""Pure functions from a page to a value: no Scrapy, no I/O, no clock."""
