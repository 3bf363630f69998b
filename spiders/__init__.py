"""How articles are found: a Source in motion, and one file per way of listing."""
