"""State that several capabilities read and one of them writes."""
