"""The text files the program carries: beside this module in a wheel, at the top of a checkout else."""

from __future__ import annotations

from pathlib import Path


def schema_sql() -> str:
    """Return the whole database schema as SQL text.

    Raises:
        FileNotFoundError: the installation is damaged.
    """
    return _read("schema.sql")


def default_config() -> str:
    """Return the complete, commented example configuration as TOML text.

    Raises:
        FileNotFoundError: the installation is damaged.
    """
    return _read("config.toml")


def systemd_file(name: str) -> str:
    """Return a file of the folder `systemd` as text, such as `chartinsightd.service`.

    Raises:
        FileNotFoundError: there is none of that name, or the installation is damaged.
    """
    return _read(f"systemd/{name}")


def strategy_example(name: str) -> tuple[str, str]:
    """Return the sources of a working strategy of this name, and of its test.

    Raises:
        FileNotFoundError: the installation is damaged.
    """
    texts = [_read(f"strategies/{file}.py.txt") for file in ("example", "example_test")]
    return texts[0].replace("NAME", name), texts[1].replace("NAME", name)


def _read(name: str) -> str:
    packaged = Path(__file__).parent / name
    # An editable installation imports from the checkout, where the files stand at the top for people to find.
    path = packaged if packaged.exists() else Path(__file__).parents[2] / name
    return path.read_text(encoding="utf-8")
