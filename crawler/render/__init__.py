"""The site's own layouts rendered without Ruby: what Jekyll makes of them, for pages that it does not build."""
