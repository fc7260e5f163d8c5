"""The page /radar/: its logic under node, its looks and behaviour in a real Chromium."""
