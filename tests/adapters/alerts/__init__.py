"""The ways to a person, each against a server of ours."""
