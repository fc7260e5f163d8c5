"""Parts that screens are made of; they know neither the daemon nor its messages."""
