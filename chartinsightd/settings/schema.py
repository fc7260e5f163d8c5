"""The JSON Schema of `config.toml`, for editors that complete and check it."""

from __future__ import annotations

import json

from chartinsightd.settings.model import SECRETS, Settings

_OF_ACCOUNTS = ("app_key", "secret_key")


def config_schema() -> str:
    """Return the schema as JSON text: every key of the file with its type, bounds and default.

    A secret comes from the environment or from credentials; the file refuses it, and so does the schema.
    """
    schema = Settings.model_json_schema()
    parts = schema["$defs"]
    for section, key in SECRETS:
        name = schema["properties"][section]["$ref"].rpartition("/")[2]
        parts[name]["properties"].pop(key, None)
    for key in _OF_ACCOUNTS:
        parts["AccountSettings"]["properties"].pop(key, None)
    schema["title"] = "ChartInsight configuration (config.toml)"
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2)
