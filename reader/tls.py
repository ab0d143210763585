"""OpenSSL not before an address is asked: 4.3 MB, and a fiftieth of the start. Standard library only.

:mod:`asyncio` takes :mod:`ssl` along where there is one and does without where there is none. The
screen talks to nobody, so it begins without; links are given TLS when the first of them is asked.
"""

from __future__ import annotations

import sys


def leave_out() -> None:
    """Import asyncio without ssl, unless one of them has been imported."""
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment] # such a name cannot be imported
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]


def bring_in() -> None:
    """Have asyncio make TLS connections; it may be running meanwhile, without them."""
    import importlib
    import ssl
    from asyncio import sslproto

    without = [m for name, m in sys.modules.items() if name.startswith("asyncio.") and _lacks_ssl(m)]
    for module in without:
        module.ssl = ssl  # type: ignore[attr-defined]
    if sslproto in without:
        importlib.reload(sslproto)  # it has more of ssl's than the name


def _lacks_ssl(module: object) -> bool:
    return getattr(module, "ssl", module) is None
