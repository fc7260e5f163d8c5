"""What a person sees of the running daemon, and what a person can ask of it."""
