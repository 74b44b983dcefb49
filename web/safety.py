"""The headers that keep a page safe, for every answer of the house, in one table by the first word of its address.

No page runs inline code, none loads anything from elsewhere, and none but the widget may be framed. A part of the
house that is not in the table gets the strictest there is: nothing may run, load, be sent or be framed.
"""

from __future__ import annotations

from collections.abc import Mapping

from web.looks import source_of

Raw = tuple[bytes, bytes]

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# What a browser could be asked for in the school's name.
DENIED = ", ".join(
    f"{what}=()"
    for what in (
        "camera",
        "display-capture",
        "geolocation",
        "microphone",
        "payment",
        "publickey-credentials-get",
        "usb",
    )
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": DENIED,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def _policy(
    *, style: str = "public", forms: str = "'none'", framed_by: str = "'none'", more: str = ""
) -> str:
    return (
        f"default-src 'none'; style-src {source_of(style)};{more} base-uri 'none'; form-action {forms};"
        f" frame-ancestors {framed_by}"
    )


CSP = "Content-Security-Policy"
# The pages of those who sign in: style sheets and scripts of our own, by address.
FOR_STAFF: Mapping[str, str] = {
    CSP: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer a browser sends "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
}
ANYBODYS = {"Cross-Origin-Resource-Policy": "cross-origin"}  # another site may show it, or its script read it

# The first word of an address → what differs there.
PARTS: Mapping[str, Mapping[str, str]] = {
    "a": {CSP: _policy()},
    "feeds": {CSP: _policy(), **ANYBODYS},
    "u": {CSP: _policy(forms="'self'"), "X-Robots-Tag": "noindex, nofollow"},
    "s": {CSP: _policy(forms="'self'"), "X-Robots-Tag": "noindex, nofollow"},
    # A page with its script and its worker, which the browser starts to show what comes; on iPhones a web app.
    "push": {
        CSP: _policy(more=" script-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self';"),
        "X-Robots-Tag": "noindex, nofollow",
    },
    "f": {
        CSP: "sandbox; default-src 'none'; frame-ancestors 'none'",
        "X-Robots-Tag": "noindex, nofollow",
    },
    # The one part that may stand in a frame, wherever the school needs it.
    "widget": {CSP: _policy(style="widget", framed_by="*"), "X-Frame-Options": "", **ANYBODYS},
    "screen": {CSP: _policy(style="screen", more=" script-src 'self'; connect-src 'self';")},
    "watch": FOR_STAFF,
    "sign-in": FOR_STAFF,
    "account": FOR_STAFF,
    "v1": {},
    "healthz": {},
    "readyz": {},
    "metrics": {},
    "callbacks": {},
}


def part_of(path: str) -> str:
    """The part of the house that an address belongs to; "" for one that there is not."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in PARTS else ""


def _raw(own: Mapping[str, str]) -> tuple[Raw, ...]:
    headers = {**ALWAYS, CSP: NOTHING, **own}
    # An empty value takes one out.
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items() if value)


_RAW: Mapping[str, tuple[Raw, ...]] = {"": _raw({}), **{part: _raw(own) for part, own in PARTS.items()}}


def complete(path: str, headers: list[Raw]) -> list[Raw]:
    """An answer's headers with those that keep it safe; one that the answer brought itself stands."""
    brought = {name.lower() for name, _ in headers}
    return headers + [pair for pair in _RAW[part_of(path)] if pair[0] not in brought]
