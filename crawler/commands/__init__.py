"""The verbs, one a file, thin: each imports its work inside the function."""
