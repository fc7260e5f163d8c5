"""The control API: messages, server, stream, client, and a daemon made up for front ends."""
