"""What to do, and when: decides with the domain, acts through ports."""
