"""Canonical addresses: one key for the many spellings of one page.

Marks, coverage and link states hang on the key, so two spellings that surely
name one page must meet, and two pages must never. Dropped are: the case of
scheme and host, default ports, the fragment, tracking parameters, and AMP
markers (an ``outputType=amp``/``amp`` parameter, a first or last path segment
``amp``, a ``.amp``/``.amp.html`` ending, an ``amp.`` host, the ampproject
cache around the publisher's address). Nothing else is: ``http`` and ``https``,
``www.`` and a trailing slash stay, because they can name different pages.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_ADDRESS = 4096
"""Characters. Longer addresses are never opened, asked or used as keys."""

_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|gclsrc|dclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_ga|_gl|"
    r"wt\.mc_id|ocid|ncid|icid|cmpid|smid|sr_share|ref_src|ref_url|guccounter|guce_referrer\w*|"
    r"amp_js_v|amp_gsa|usqp)",
    re.IGNORECASE,
)
_AMP_PARAMETER = re.compile(r"(?:amp(?:=1|=true|=)?|outputtype=amp|output=amp)", re.IGNORECASE)
_CACHE = re.compile(r"^[^/]+\.cdn\.ampproject\.org$")
_CACHE_PATH = re.compile(r"^/(?:[cvwir]/)?(s/)?([^/].*)$")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# An address that is its own key; most are. (No query, no AMP, no port, nothing to quote.)
_USUAL = re.compile(r"https?://[a-z0-9][a-z0-9.-]*[a-z0-9]/[A-Za-z0-9/._~!$'()*+,;:=@-]*")
# What follows the host cannot change what it is.
_PLAIN = re.compile(
    r"https?://([a-z0-9.-]+)(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?(?=[/?#]|\Z)"
)
_PORTS = {"http": ":80", "https": ":443"}


def canonical(address: str) -> str:
    """Return the key of *address*, or ``""`` when it is no absolute http(s) address.

    Never raises. White space around the address is ignored; inside, or with
    control characters or credentials, the address is nobody's key.
    """
    if len(address) <= MAX_ADDRESS and _USUAL.fullmatch(address) and "amp" not in address.lower():
        return address
    address = address.strip()
    if not address or len(address) > MAX_ADDRESS or _UNSAFE.search(address):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    scheme, host = parts.scheme.lower(), parts.netloc.lower()
    if scheme not in _PORTS or not host or "@" in host:
        return ""
    host = host.removesuffix(_PORTS[scheme]).removesuffix(".")
    path, query = parts.path, parts.query
    if _CACHE.match(host) and (inner := _CACHE_PATH.match(path)):
        secure, rest = inner.groups()
        unwrapped = f"{'https' if secure else 'http'}://{rest}" + (f"?{query}" if query else "")
        return canonical(unwrapped)
    if host.startswith("amp.") and host.count(".") > 1:
        host = "www." + host[4:] if host.count(".") == 2 else host[4:]
    path = _without_amp(path)
    if "%" in path:
        path = _PERCENT.sub(lambda m: m[0].upper(), path)
    if query:
        query = "&".join(
            p
            for p in query.split("&")
            if p and not _TRACKING.fullmatch(p.partition("=")[0]) and not _AMP_PARAMETER.fullmatch(p)
        )
    return f"{scheme}://{host}{path or '/'}" + (f"?{query}" if query else "")


def _without_amp(path: str) -> str:
    if "amp" not in path.lower():
        return path
    for ending in (".amp.html", ".amp"):
        if path.lower().endswith(ending):
            return path[: -len(ending)] + (".html" if ending == ".amp.html" else "")
    segments = path.split("/")
    if len(segments) > 2 and segments[1].lower() == "amp" and segments[2]:
        del segments[1]
    elif segments[-1].lower() == "amp" and len(segments) > 2:
        segments.pop()
    elif segments[-1] == "" and len(segments) > 3 and segments[-2].lower() == "amp":
        del segments[-2]
    return "/".join(segments)


def plain_host(address: str) -> str | None:
    """The host of an http(s) address where it can be seen at a glance; None: it has to be parsed.

    What it gives is what parsing would: the host in lower case, and the port is one.
    """
    match = _PLAIN.match(address)
    return match[1] if match else None


def host_of(address: str) -> str:
    """The host of *address* in lower case without port or credentials, or ``""``."""
    if (host := plain_host(address)) is not None:
        return host
    try:
        return (urlsplit(address.strip()).hostname or "").lower()
    except ValueError:
        return ""
