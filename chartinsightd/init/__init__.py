"""`chartinsightd init`: from nothing to settings, keys and a passed check."""
