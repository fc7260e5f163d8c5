"""What the number keys show, and the dialogs above it."""
