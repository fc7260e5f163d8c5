"""A stand-alone Kiwoom server over HTTP and WebSocket, on a clock of its own."""
