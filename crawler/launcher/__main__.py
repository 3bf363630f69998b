"""``python -m presskeep``."""

from presskeep import main

main()
