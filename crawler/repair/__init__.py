"""A source whose pages have changed: where what is known of its articles now stands, and the YAML that says so."""
