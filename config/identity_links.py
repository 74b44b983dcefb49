"""What an admin hands to an operator, or says of one: where a link is opened, whose account elsewhere may be theirs."""

from __future__ import annotations

from dataclasses import replace

from broker.address import BadAddress, parse_email
from broker.errors import Problem, RuleBroken
from config.settings import Settings


def link_address(settings: Settings, link: str, *, url: str | None = None) -> str:
    """Where a link is opened: at the address that the outside knows, else where the web listens."""
    here = url or f"http://{settings.web.host}:{settings.web.port}"
    return f"{settings.public_url or here}/watch/sign-in/{link}"


def account_elsewhere(settings: Settings, provider: str, account: str) -> str:
    """The address of an account of the school's own at a provider, as it is kept. Raises RuleBroken for any other."""
    known = settings.sign_in.providers
    if provider not in known:
        hint = f"there are: {', '.join(known)}" if known else "see docs/sign-in.md"
        raise RuleBroken(Problem("unknown_provider", "provider", "there is no such provider", hint))
    try:
        who = parse_email(account)
    except BadAddress as bad:
        raise RuleBroken(replace(bad.problem, field="account")) from None
    if who.rpartition("@")[2].lower() not in known[provider].domains:
        hint = f"it has: {', '.join(known[provider].domains)}"
        raise RuleBroken(Problem("strange_domain", "account", "this is no domain of the school's", hint))
    return who
