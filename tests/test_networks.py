"""Which machines' addresses no request may lead to, in all their spellings."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.networks import literal, network, refusal


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.66.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    ],
)
def test_refused(address: str) -> None:
    assert address in refusal(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public(address: str) -> None:
    assert refusal(address) == ""


def test_allowed_networks() -> None:
    allowed = [network("10.0.0.0/8"), network("127.0.0.9/32"), network("fd00::/8")]
    for address in ("10.9.9.9", "127.0.0.9", "fd00::5", "::ffff:10.0.0.1"):
        assert refusal(address, allowed) == ""
    for address in ("127.0.0.1", "192.168.0.1", "fe80::1"):
        assert refusal(address, allowed)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[fe80::1%25eth0]", "fe80::1"),
    ],
)
def test_spellings(host: str, address: str) -> None:
    assert str(literal(host)) == address


@pytest.mark.parametrize("host", ["daily.example", "cafe", "999.1.1.1", "", "a.b.c"])
def test_names_are_no_addresses(host: str) -> None:
    assert literal(host) is None


@given(st.ip_addresses(v=4))
def test_ipv4_in_ipv6_is_judged_as_ipv4(inner: IPv4Address) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        outer = IPv6Address(int(IPv6Address(prefix)) | int(inner))
        assert bool(refusal(outer)) == bool(refusal(inner))
