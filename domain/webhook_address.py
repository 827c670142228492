"""Where events of a business may be sent: its own address, never a neighbour of ours (api.md 5)."""

import ipaddress
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST: Final = 2000
_PORTS: Final = {"https": 443, "http": 80}
_NOT_IN_ADDRESSES = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


class UnusableAddress(ValueError):
    """The address is none we send to; the message says why and never repeats the address."""


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """An address in its parts; `host` is lower-case ASCII, `target` path and query.

    `user` and `password` are sent as basic authentication. Neither is ever shown.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address without what could be a secret in front of the host."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_address(text: str) -> WebhookAddress:
    """Read an address. Raises `UnusableAddress` for anything but an http or https URL with a host."""
    if len(text) > LONGEST or _NOT_IN_ADDRESSES.search(text):
        raise UnusableAddress(f"use at most {LONGEST} characters, without spaces or backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UnusableAddress("write an address such as https://example.com/webhooks") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise UnusableAddress("write an https address such as https://example.com/webhooks")
    return WebhookAddress(
        scheme=parts.scheme,
        host=_ascii_host(parts.hostname),
        port=port or _PORTS[parts.scheme],
        target=_target(parts),
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _ascii_host(host: str) -> str:
    try:
        return host.encode("ascii").decode().lower()
    except UnicodeEncodeError:
        pass
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        raise UnusableAddress("the host is no name that can be looked up") from None


def _target(parts: SplitResult) -> str:
    """Path and query; what stands behind `#` is never sent."""
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


# --- who may be called -------------------------------------------------------------------------


class Allowed:
    """`SENDOUT_WEBHOOK_ALLOW`: hosts and networks that may be called though they are private.

    Raises `ValueError` naming an entry that is neither a host name nor a network.
    """

    def __init__(self, entries: Collection[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                if "/" in entry:
                    raise ValueError(f"{entry!r} is neither a host name nor a network") from None
                self._hosts.add(entry.lower().rstrip("."))

    def names(self, host: str, addresses: Sequence[IpAddress]) -> bool:
        """Whether the host is allowed by its name, or each of its addresses by its network."""
        if host.rstrip(".") in self._hosts:
            return True
        return bool(addresses) and all(
            any(ip.version == network.version and ip in network for network in self._networks)
            for ip in map(_unwrapped, addresses)
        )


def judge(address: WebhookAddress, resolved: Sequence[IpAddress], allowed: Allowed) -> None:
    """Whether events may be sent to an address that resolves to these.

    Raises `UnusableAddress` when one of them is private, loopback, link-local or otherwise special,
    or the address is not https, and `allowed` does not name it.
    """
    if not resolved:
        raise UnusableAddress("the host has no address")
    if allowed.names(address.host, resolved):
        return
    if address.scheme != "https":
        raise UnusableAddress("write an https address such as https://example.com/webhooks")
    if not all(map(is_public, resolved)):
        raise UnusableAddress("the host must not be at a private, loopback or special address")


def is_public(ip: IpAddress) -> bool:
    """Whether the address is one anybody on the internet may have."""
    ip = _unwrapped(ip)
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local
    if isinstance(ip, ipaddress.IPv6Address) and (ip.is_site_local or ip.teredo or ip.sixtofour):
        return False
    return ip.is_global and not special


def _unwrapped(ip: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 address only spells otherwise."""
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip
