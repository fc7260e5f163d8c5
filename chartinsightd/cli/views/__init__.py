"""What the verbs show to a person: answers of the daemon made into tables and lines."""
