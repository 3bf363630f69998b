"""A second archive as the mirror of a first: what changed there, by its log, with every digest verified."""
