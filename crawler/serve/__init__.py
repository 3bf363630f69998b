"""A local reader of an archive: library.py reads it, reader.py makes pages, server.py answers on loopback."""
