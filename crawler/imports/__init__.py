"""What others archived, taken in: posts of Jekyll sites byte for byte (jekyll.py), articles by lines (jsonl.py)."""
