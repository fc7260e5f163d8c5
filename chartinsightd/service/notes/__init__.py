"""Notes: asks for them, within the budget, and keeps them."""
