"""The control plane: what the daemon shows and takes over its Unix socket, its server and its client."""
