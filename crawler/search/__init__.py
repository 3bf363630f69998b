"""Full text search over posts: words.py what is looked for, index.py where, snippet.py what is shown of it."""
