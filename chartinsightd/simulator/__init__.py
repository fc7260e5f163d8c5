"""A stand-alone Kiwoom server over HTTP and WebSocket, with its own clock.

`chartinsight-simulator` (or `python -m chartinsightd.simulator`) starts it and prints one JSON line with
`url`, `websocket_url` and `pid` when it is ready. The broker's paths are in kiwoom.md#hosts; the keys are the
defaults of `settings` unless given. Beside them stands an admin door, JSON, never limited:

| call | what |
| --- | --- |
| `GET /admin/clock` | `now` (ISO), `epoch`, `start`, `speed`, `anchor` (real seconds since 1970) |
| `POST /admin/clock` | any of `set` (ISO, KST without a zone, or epoch), `step_s`, `speed` (0 stands still) |
| `GET /admin/stats` | requests, refusals, violations, by api-id too with max_in_a_second and utilisation |
| `GET /admin/requests?after=SEQ&limit=N` | the log of the last 100,000 requests |
| `GET`, `DELETE /admin/faults` | what is switched on and how often it struck; switch all off |
| `POST /admin/faults` | `{"seed": 1, "mix": [RULE, …]}` replaces the mix, see below |
| `GET /admin/truth?symbol=&timeframe=&from=&to=` | `rows` of `truth.TruthRow`, oldest first, in [from, to) |
| `POST /admin/correct` | `{"symbol", "day": "2026-11-19", "label": 540 or none, "factor": 1.5}` |
| `GET /admin/issues`, `GET /admin/profile` | what is listed now; every switch of the broker |
| `POST /admin/ip-allowlist` | `{"allow": ["127.0.0.1"]}`, null for all; others get 8050 for a token |
| `POST /admin/keys` | `{"blocked": ["app key"]}`: these get 8050 |
| `POST /admin/tokens/invalidate` | end all tokens: 8005 |
| `POST /admin/websocket/close` | drop every session: without a word, or `{"code": "R10001"}` says why |

A RULE is `{"fault": "http_500", "probability": 0.05, "api_ids": ["ka10080"], "times": 10,
"for_virtual_s": 60, "seconds": 1.5}`, all but the first optional; the faults are those of `faults.Fault`.
"""
