"""The verb `completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_INSTALL = {
    "bash": "echo 'eval \"$(chartinsightctl completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(chartinsightctl completion zsh)\"' >> ~/.zshrc",
    "fish": "chartinsightctl completion fish > ~/.config/fish/completions/chartinsightctl.fish",
}


@click.command(epilog="\b\nTo have it always:\n" + "\n".join(f"  {line}" for line in _INSTALL.values()))
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete this command, stock names included."""
    kind = get_completion_class(shell)
    assert kind is not None
    root = context.find_root()
    click.echo(kind(root.command, {}, "chartinsightctl", "_CHARTINSIGHTCTL_COMPLETE").source())
