"""Which addresses events may be sent to."""

import ipaddress

import pytest

from domain.webhook_address import Allowed, UnusableAddress, is_public, judge, parse_address

PUBLIC = [ipaddress.ip_address("93.184.216.34")]
LOOPBACK = [ipaddress.ip_address("127.0.0.1")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://Example.COM:443/a/b?c=d#e", "https://example.com/a/b?c=d"),
        ("https://user:password@example.com:8443/x", "https://example.com:8443/x"),
        ("https://[2606:2800:220:1::1]/x", "https://[2606:2800:220:1::1]/x"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(text, shown):
    assert parse_address(text).shown == shown
    assert "password" not in repr(parse_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/x",
        "ftp://example.com/",
        "https:///x",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\r\nHost: other",
        "https://[::1/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text):
    with pytest.raises(UnusableAddress) as refused:
        parse_address(text)
    assert text == "" or text not in str(refused.value)


@pytest.mark.parametrize(
    "ip",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_special_addresses_are_not_public(ip):
    assert not is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111"])
def test_public_addresses_are_public(ip):
    assert is_public(ipaddress.ip_address(ip))


def test_http_is_for_what_is_allowed_only():
    with pytest.raises(UnusableAddress, match="https"):
        judge(parse_address("http://example.com/"), PUBLIC, Allowed())
    judge(parse_address("http://example.com/"), PUBLIC, Allowed(["EXAMPLE.com"]))
    judge(parse_address("http://127.0.0.1/"), LOOPBACK, Allowed(["127.0.0.0/8"]))


def test_private_addresses_are_allowed_by_name_or_network():
    address = parse_address("https://hooks.internal/")
    for entries in ([], ["internal"], ["10.0.0.0/8"], ["hooks.internal.example"]):
        with pytest.raises(UnusableAddress):
            judge(address, LOOPBACK, Allowed(entries))
    judge(address, LOOPBACK, Allowed(["hooks.internal"]))
    judge(address, LOOPBACK, Allowed(["127.0.0.1/32"]))
    judge(address, [ipaddress.ip_address("::ffff:127.0.0.1")], Allowed(["127.0.0.1/32"]))


def test_every_address_of_a_name_has_to_be_allowed():
    mixed = [*LOOPBACK, ipaddress.ip_address("10.0.0.1")]
    with pytest.raises(UnusableAddress):
        judge(parse_address("https://hooks.internal/"), mixed, Allowed(["127.0.0.0/8"]))


def test_a_network_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        Allowed(["10.0.0.0/99"])
