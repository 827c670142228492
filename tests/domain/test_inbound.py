"""Opt-out words: a whole message, whatever its case, accents, width and end punctuation."""

import pytest

from domain.inbound import folded, is_word

STOP = ("STOP", "UNSUBSCRIBE", "BAJA", "CANCELAR", "SAIR", "PARAR", "Désabonner")


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop ",
        "stop.",
        "Stop!!!",
        "STOP ! ",
        "\nstop\r\n",
        "stop…",
        "¡Baja!",
        "¿ baja ?",
        "sair;",
        "désabonner",
        "DESABONNER",
        "De\u0301sabonner.",
        "ｓｔｏｐ",
        "ＳＴＯＰ！",
        "stop。",
        "parar؟",
    ],
)
def test_the_whole_message_is_a_word(text):
    assert is_word(text, STOP)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "!",
        "please stop",
        "stop it",
        "stopp",
        "sto p",
        "nonstop",
        ".stop",
        "stop?no",
        "STOP 👍",
    ],
)
def test_anything_else_is_not(text):
    assert not is_word(text, STOP)


def test_folding_twice_is_folding_once():
    for text in ("¡Désabonner!", "İstanbul…", "STRASSE ß", " . "):
        assert folded(folded(text)) == folded(text)
