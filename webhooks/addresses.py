"""Looking up where an address leads, and whether events may go there.

What is checked is what is connected to: callers use the addresses that are answered, never the name
again, which may lead elsewhere by then.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.webhook_address import (
    Allowed,
    IpAddress,
    UnusableAddress,
    WebhookAddress,
    judge,
    parse_address,
)

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses, as texts, of a host name or of an IP address; raises `OSError`."""

_LOOKED_UP_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Checked:
    """An address that events may go to, and where it leads at this moment."""

    address: WebhookAddress
    resolved: Sequence[IpAddress]


class Addresses:
    """Checks addresses by the rules of `domain.webhook_address`."""

    def __init__(self, allowed: Allowed, resolve: Resolve | None = None) -> None:
        self._allowed = allowed
        self._resolve = resolve or _system_resolve

    async def check(self, address: str) -> Checked:
        """Look up where the address leads. Raises `UnusableAddress`, whose words are fit to show."""
        parsed = parse_address(address)
        try:
            found = await asyncio.wait_for(
                self._resolve(parsed.host, parsed.port), _LOOKED_UP_WITHIN
            )
        except (OSError, TimeoutError, UnicodeError):
            raise UnusableAddress("the host could not be looked up") from None
        resolved = [ipaddress.ip_address(ip.partition("%")[0]) for ip in found]
        judge(parsed, resolved, self._allowed)
        return Checked(parsed, resolved)


async def _system_resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
