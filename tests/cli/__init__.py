"""`chartinsightctl` against a made-up daemon behind a real socket, in this process and as a real command."""
