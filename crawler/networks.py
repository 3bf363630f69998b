"""Which addresses of machines a public web page is never at, in all their spellings."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CLASSES = ("unspecified", "loopback", "link_local", "multicast", "private", "reserved")
_IPV6 = {
    "site-local": IPv6Network("fec0::/10"),  # RFC 3879
    "6to4": IPv6Network("2002::/16"),  # RFC 7526: not to be used
    "Teredo": IPv6Network("2001::/32"),
    "local NAT64": IPv6Network("64:ff9b:1::/48"),  # RFC 8215
}
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: what IPv6-only networks reach IPv4 by
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, section 2.5.5.1: deprecated


def refusal(address: Address | str, allowed: Iterable[Network] = ()) -> str:
    """Why no connection may lead to this IP address, such as ``127.0.0.1 is loopback``; empty where it may.

    Whatever is not globally reachable by IANA's registries is refused, unless it lies in one of the ``allowed``.
    """
    there = _plain(ip_address(address.partition("%")[0]) if isinstance(address, str) else address)
    if any(there in network for network in allowed if network.version == there.version):
        return ""
    if named := next((name for name, network in _IPV6.items() if there in network), ""):
        return f"{address} is {named}"
    kind = next((one for one in _CLASSES if getattr(there, f"is_{one}")), "")
    if not kind and there.is_global:
        return ""
    return f"{address} is {kind.replace('_', '-') or 'not public'}"


def _plain(address: Address) -> Address:
    """The IPv4 address that some IPv6 addresses stand for."""
    if isinstance(address, IPv4Address):
        return address
    inner = address in _NAT64 or address.ipv4_mapped or (address in _COMPATIBLE and int(address) > 1)
    return IPv4Address(int(address) & 0xFFFFFFFF) if inner else address


def literal(host: str) -> Address | None:
    """The address that a host's name is: also ``2130706433``, ``0x7f.1`` and ``0177.0.0.1``; None for a real name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if re.fullmatch(r"[0-9a-fA-Fx.]+", host) else None
    except OSError:
        return None


def network(text: str) -> Network:
    """``10.0.0.0/8``, ``::1``; bits beyond the mask do not matter. Raises ValueError."""
    return ip_network(text, strict=False)
