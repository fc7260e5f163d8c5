"""The live stream of trades over a WebSocket (kiwoom.md#websocket)."""
