"""presskeep before the rig's fake news site: what drives it, and a part of its checks as tests."""
