"""What happens to an article, one verb a file, in the order of their numbers in `crawler/settings.py`."""
