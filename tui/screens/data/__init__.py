"""Screen 5: whether everything is there, and how one knows: coverage, gaps, seals."""
