import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.phone import mask, parse_phone, variants

NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+16045552331", "+16045552331"),
        ("+1(604) 585 2331", "+16045852331"),
        ("0016045552331", "+16045552331"),
        ("16045552331", "+16045552331"),
        ("+123456789", "+123456789"),
        (" (+1) 604-555.2331\n", "+16045552331"),
        ("\u202a+1\u00a0604\u2011555\u20112331\u202c", "+16045552331"),
        ("1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
        ("00 44 20 7946 0958", "+442079460958"),
    ],
)
def test_a_number_is_read_however_it_is_spelled(text: str, number: str):
    assert parse_phone(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "+", "123456", "+1234567890123456", "0123456789", "+0123456789", "000123456789",
        "++16045552331", "1+6045552331", "+1604555CALL", "+16045552331x5", "tel:+16045552331",
        "16045552331.0", "+16045552331.00", "6045552331/6045552332", "16045552331,", "1.6e10",
        "+٤٤٢٠٧٩٤٦٠٩٥٨", "+1604555２３３１", "+1" + "-" * 100 + "6045552331", None, 16045552331, 1.5,
        True, ["+16045552331"],
    ],
)  # fmt: skip
def test_what_is_not_a_number_is_refused(text: object):
    assert parse_phone(text) is None


@given(NUMBERS)
def test_reading_is_the_same_for_every_prefix_and_never_rewrites(number: str):
    assert {parse_phone(number), parse_phone(number[1:]), parse_phone("00" + number[1:])} == {
        number
    }


@pytest.mark.parametrize(
    ("number", "other"),
    [
        ("+525512345678", "+5215512345678"),
        ("+5531987654321", "+553187654321"),
        ("+5511987654321", "+551187654321"),
        ("+541155555555", "+5491155555555"),
    ],
)
def test_national_variants_lead_to_each_other(number: str, other: str):
    assert variants(number) == (other,)
    assert variants(other) == (number,)


@pytest.mark.parametrize(
    "number",
    [
        "+16045552331",
        "+551133334444",  # a Brazilian landline
        "+5511933334444",  # without its 9 it would be one
        "+52551234567",  # too short for Mexico
        "+54911555555",
    ],
)
def test_other_numbers_have_no_variants(number: str):
    assert variants(number) == ()


@given(NUMBERS | st.from_regex(r"\+5[245][0-9]{10,11}", fullmatch=True))
def test_being_a_variant_is_symmetric(number: str):
    assert all(number in variants(other) and other != number for other in variants(number))


def test_a_masked_number_shows_four_digits():
    assert mask("+16045552331") == "+16•••31"
    assert mask("+1234") == "•••"
