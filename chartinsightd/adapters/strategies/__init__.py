"""The folder of the user's strategies, and the bounded process in which they are proved and run."""
