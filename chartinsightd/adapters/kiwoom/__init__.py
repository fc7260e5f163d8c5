"""The broker: session, gate, client and wire format."""
