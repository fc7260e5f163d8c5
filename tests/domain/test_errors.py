"""Errors say what happened, and what to do next."""

from __future__ import annotations

from chartinsightd.domain.errors import AccessBlocked, ConfigurationError, RateLimited


def test_a_message_ends_with_its_remedy() -> None:
    """One sentence each; without a remedy, the message alone."""
    error = ConfigurationError("The key is wrong.", remedy="Mend it.")

    assert str(error) == "The key is wrong. Mend it."
    assert (error.message, error.remedy, error.args) == ("The key is wrong.", "Mend it.", error.args)
    assert error.args == ("The key is wrong.",)
    assert str(ConfigurationError("The key is wrong.")) == "The key is wrong."


def test_refusals_carry_what_the_broker_said() -> None:
    """The pace it named, the code it gave."""
    blocked = AccessBlocked("refused", remedy="Ask.", code="8050")

    assert (str(blocked), blocked.code, AccessBlocked("refused").code) == ("refused Ask.", "8050", "")
    assert (RateLimited("slow", limit=3).limit, RateLimited("slow").limit) == (3, None)
    assert str(RateLimited("slow")) == "slow"
