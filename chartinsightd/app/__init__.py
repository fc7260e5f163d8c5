"""The daemon's composition root: what is built, in which order, and how it starts, reloads and ends."""
