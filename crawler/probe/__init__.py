"""From one address to a working source: what a site offers, what its articles share, and the YAML that says so."""
