"""What lies on disk: post format, ledger, captures, locks. No Scrapy."""
