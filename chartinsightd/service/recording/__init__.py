"""Records how the daemon was, moment by moment."""
