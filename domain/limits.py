"""WhatsApp's limits on one message, and who breaks them (reference/whatsapp.md section 2).

The same rules judge a node as its author wrote it, where placeholders may still become anything,
and a rendered copy, whose texts are final. Lengths are counted in Unicode characters.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from domain.flow import Button, MessageNode
from domain.issues import Issue
from domain.message_types import (
    ButtonsMessage,
    CtaUrlMessage,
    ListMessage,
    LocationHeader,
    LocationMessage,
    MediaHeader,
    MediaMessage,
    TemplateMessage,
    TextHeader,
    TextMessage,
)

# Texts, section 2.1; interactive messages and their parts, 2.3; captions, 2.4.
LONGEST_TEXT: Final = 4096
LONGEST_INTERACTIVE_BODY: Final = 1024
"""The lists' own page says 4,096, the API description 1,024: the smaller is safe with both."""
LONGEST_HEADER: Final = 60
LONGEST_FOOTER: Final = 60
LONGEST_REPLY_TITLE: Final = 20
LONGEST_LIST_MENU: Final = 20
LONGEST_CTA_LABEL: Final = 20
LONGEST_ROW_TITLE: Final = 24
LONGEST_ROW_DESCRIPTION: Final = 72
LONGEST_SECTION_TITLE: Final = 24
LONGEST_URL: Final = 2000
LONGEST_CAPTION: Final = 1024
MOST_REPLY_BUTTONS: Final = 3
MOST_LIST_ROWS: Final = 10
# Templates, section 2.2.
LONGEST_TEMPLATE_NAME: Final = 512
LONGEST_TEMPLATE_BODY: Final = 1024
"""Of the body as registered, and as rendered when the template has other components."""
LONGEST_LONE_TEMPLATE_BODY: Final = 32768
"""Of the rendered body of a template that is nothing but a body."""
LONGEST_QUICK_REPLY: Final = 25
LONGEST_COPY_CODE: Final = 20
MOST_TEMPLATE_BUTTONS: Final = 10
MOST_URL_BUTTONS: Final = 2

_PLACEHOLDER: Final = re.compile(r"\{\{\s*[^{}\s][^{}]*\}\}")
"""What `domain.rendering` fills in."""
_LINK: Final = re.compile(r"\s*https?://[^\s/?#]\S*\s*", re.IGNORECASE)

Found: TypeAlias = tuple[str, str, str]
"""(code, path below the node, message that names the fix)."""


class _Text(NamedTuple):
    """One text of a message and what WhatsApp asks of it."""

    path: str
    text: str
    most: int
    needed: bool = True


def over_limits(node: MessageNode, at: str, *, rendered: bool) -> list[Issue]:
    """What WhatsApp would refuse in this message; `at` is the node's path (`nodes.welcome`).

    With `rendered` false, texts are as the author wrote them, and each counts as short as it can
    become: placeholders as nothing, and a text of placeholders only as not empty. So whatever is
    found is wrong for every customer. With `rendered` true, texts are final and count in full; a
    template parameter that came out blank is not reported here but by
    `domain.rendering.empty_parameter`, because it is another refusal (131008, flow.md 2.5).
    """
    return [
        Issue(severity="error", code=code, path=f"{at}.{path}", message=message)
        for rule in (_wrong_texts, _wrong_parts, _wrong_buttons)
        for code, path, message in rule(node, rendered)
    ]


def least_length(text: str, *, rendered: bool = False) -> int:
    """How short a text can become: its length without the placeholders."""
    return len(text) if rendered or "{{" not in text else len(_PLACEHOLDER.sub("", text))


def _is_open(text: str, rendered: bool) -> bool:
    """Whether variables are still to be put into this text."""
    return not rendered and "{{" in text and _PLACEHOLDER.search(text) is not None


# --- lengths -----------------------------------------------------------------------------------


def _wrong_texts(node: MessageNode, rendered: bool) -> Iterator[Found]:
    for path, text, most, needed in _texts(node, rendered):
        # The full length first: almost every text is short enough with its placeholders.
        if len(text) > most and (length := least_length(text, rendered=rendered)) > most:
            said = f"shorten this to {most:,} characters: it has at least {length:,}"
            yield "TEXT_TOO_LONG", path, said
        elif needed and not text.strip():
            yield "TEXT_EMPTY", path, "write a text here: WhatsApp refuses an empty one"


def _texts(node: MessageNode, rendered: bool) -> Iterator[_Text]:
    match node.message:
        case TemplateMessage() as message:
            yield from _template_texts(message, node.buttons, rendered)
        case TextMessage() as message:
            yield _Text("message.body", message.body, LONGEST_TEXT)
        case MediaMessage(caption=str(caption)):
            yield _Text("message.caption", caption, LONGEST_CAPTION, needed=False)
        case ButtonsMessage() | ListMessage() | CtaUrlMessage() as message:
            yield from _interactive_texts(message, node.buttons)


def _interactive_texts(
    message: ButtonsMessage | ListMessage | CtaUrlMessage, buttons: tuple[Button, ...]
) -> Iterator[_Text]:
    yield _Text("message.body", message.body, LONGEST_INTERACTIVE_BODY)
    if isinstance(message.header, TextHeader):
        yield _Text("message.header.text", message.header.text, LONGEST_HEADER)
    if message.footer is not None:
        yield _Text("message.footer", message.footer, LONGEST_FOOTER, needed=False)
    match message:
        case CtaUrlMessage():
            yield _Text("message.label", message.label, LONGEST_CTA_LABEL)
            yield _Text("message.url", message.url, LONGEST_URL, needed=False)
        case ButtonsMessage():
            for i, button in enumerate(buttons):
                yield _Text(f"buttons.{i}.label", button.label, LONGEST_REPLY_TITLE)
        case ListMessage():
            yield _Text("message.menu", message.menu, LONGEST_LIST_MENU)
            yield from _row_texts(buttons)


def _row_texts(rows: tuple[Button, ...]) -> Iterator[_Text]:
    for i, row in enumerate(rows):
        at = f"buttons.{i}"
        yield _Text(f"{at}.label", row.label, LONGEST_ROW_TITLE)
        description, section = row.description or "", row.section or ""
        yield _Text(f"{at}.description", description, LONGEST_ROW_DESCRIPTION, needed=False)
        yield _Text(f"{at}.section", section, LONGEST_SECTION_TITLE, needed=False)


def _template_texts(
    message: TemplateMessage, buttons: tuple[Button, ...], rendered: bool
) -> Iterator[_Text]:
    needed = not rendered
    yield _Text("message.name", message.name, LONGEST_TEMPLATE_NAME)
    if isinstance(message.header, TextHeader):
        yield _Text("message.header.text", message.header.text, LONGEST_HEADER, needed)
    longest = _longest_rendered_body(message, buttons)
    for key, text in _body_parameters(message):
        yield _Text(f"message.body.{key}", text, longest, needed)
    if message.preview is not None:
        yield _Text("message.preview", message.preview, LONGEST_TEMPLATE_BODY)
    for i, url in enumerate(message.url_buttons):
        yield _Text(f"message.url_buttons.{i}.text", url.text, LONGEST_URL, needed)
    if message.copy_code is not None:
        yield _Text("message.copy_code.code", message.copy_code.code, LONGEST_COPY_CODE, needed)
    for i, button in enumerate(buttons):
        yield _Text(f"buttons.{i}.label", button.label, LONGEST_QUICK_REPLY)


def _body_parameters(message: TemplateMessage) -> Iterator[tuple[str | int, str]]:
    if isinstance(message.body, dict):
        return iter(message.body.items())
    return iter(enumerate(message.body))


# --- media, places, links ----------------------------------------------------------------------


def _wrong_parts(node: MessageNode, rendered: bool) -> Iterator[Found]:
    match node.message:
        case TemplateMessage() as message:
            yield from _wrong_header(message.header, rendered, parameter=True)
            yield from _wrong_template_body(message, node.buttons, rendered)
        case MediaMessage() as message:
            yield from _wrong_media(message, "message", rendered)
            if message.type == "audio" and message.caption is not None:
                yield _not_allowed("message.caption", "audio has no caption")
        case LocationMessage() as message:
            yield from _wrong_place(message, "message", rendered)
        case ListMessage(header=MediaHeader()):
            yield _not_allowed("message.header", "a list's header is text")
        case ButtonsMessage() | CtaUrlMessage() as message:
            yield from _wrong_header(message.header, rendered)
    if isinstance(node.message, CtaUrlMessage):
        yield from _wrong_link(node.message.url, "message.url", rendered)


def _not_allowed(path: str, why: str) -> Found:
    return "FIELD_NOT_ALLOWED", path, f"remove this: {why}"


def _wrong_header(
    header: TextHeader | MediaHeader | LocationHeader | None,
    rendered: bool,
    *,
    parameter: bool = False,
) -> Iterator[Found]:
    match header:
        case MediaHeader():
            yield from _wrong_media(header, "message.header", rendered, parameter=parameter)
        case LocationHeader():
            yield from _wrong_place(header, "message.header", rendered)


def _wrong_media(
    media: MediaMessage | MediaHeader, at: str, rendered: bool, *, parameter: bool = False
) -> Iterator[Found]:
    if (media.link is None) == (media.id is None):
        field = "link" if media.link is None else "id"
        said = "give the media by `link` or by `id`, exactly one of them"
        yield "MEDIA_SOURCE", f"{at}.{field}", said
    elif media.link is not None:
        if not (parameter and rendered and not media.link.strip()):
            yield from _wrong_link(media.link, f"{at}.link", rendered)
    elif media.id is not None and not media.id.strip() and not (parameter and rendered):
        yield "TEXT_EMPTY", f"{at}.id", "write the id of an uploaded asset"
    if media.filename is not None and media.type != "document":
        yield _not_allowed(f"{at}.filename", "only documents have a file name")


def _wrong_link(link: str, path: str, rendered: bool) -> Iterator[Found]:
    if _is_open(link, rendered):
        start = link.partition("{{")[0].lstrip().lower()
        good = any(
            scheme.startswith(start) or start.startswith(scheme)
            for scheme in ("https://", "http://")
        )
    else:
        good = _LINK.fullmatch(link) is not None
    if not good:
        yield "INVALID_LINK", path, "write a whole address that begins with https:// or http://"


def _wrong_place(
    place: LocationMessage | LocationHeader, at: str, rendered: bool
) -> Iterator[Found]:
    for field, most in (("latitude", 90), ("longitude", 180)):
        value: float | str = getattr(place, field)
        if isinstance(value, str) and _is_open(value, rendered):
            continue
        try:
            good = -most <= float(value) <= most
        except (ValueError, OverflowError):
            good = False
        if not good:
            said = f"write degrees from -{most} to {most}, for example 19.43"
            yield "INVALID_COORDINATES", f"{at}.{field}", said


def _wrong_template_body(
    message: TemplateMessage, buttons: tuple[Button, ...], rendered: bool
) -> Iterator[Found]:
    """The rendered body as a whole, as far as the flow knows it: parameters, and the preview."""
    most = _longest_rendered_body(message, buttons)
    lengths = [least_length(text, rendered=rendered) for _, text in _body_parameters(message)]
    total = sum(lengths) + least_length(message.preview or "")
    if lengths and total > most >= max(lengths):
        said = f"shorten the parameters: the body can have {most:,} characters and gets {total:,}"
        yield "TEXT_TOO_LONG", "message.body", said


def _longest_rendered_body(message: TemplateMessage, buttons: tuple[Button, ...]) -> int:
    alone = not (message.header or message.url_buttons or message.copy_code or buttons)
    return LONGEST_LONE_TEMPLATE_BODY if alone else LONGEST_TEMPLATE_BODY


# --- buttons -----------------------------------------------------------------------------------


def _wrong_buttons(node: MessageNode, rendered: bool) -> Iterator[Found]:
    match node.message:
        case TemplateMessage() as message:
            yield from _wrong_template_buttons(message, node.buttons)
        case ButtonsMessage():
            yield from _wrong_count(node.buttons, MOST_REPLY_BUTTONS, "reply buttons")
            for i in _repeated([button.label.strip() for button in node.buttons]):
                said = "give every button of this message another label"
                yield "DUPLICATE_BUTTON_LABEL", f"buttons.{i}.label", said
        case ListMessage():
            yield from _wrong_count(node.buttons, MOST_LIST_ROWS, "rows")
            yield from _wrong_sections(node.buttons)
        case _ if node.buttons:
            said = f"a {node.message.type} message has no buttons: use a buttons, list or template message"
            yield "BUTTONS_NOT_ALLOWED", "buttons", said
            return
    for i in _repeated([button.id for button in node.buttons]):
        said = "give every button of this message another id"
        yield "DUPLICATE_BUTTON_ID", f"buttons.{i}.id", said
    if not rendered:
        yield from _misplaced_button_fields(node)


def _repeated(values: list[str]) -> Iterator[int]:
    """The positions of values that stood before."""
    if len(set(values)) < len(values):
        seen: Counter[str] = Counter()
        for i, value in enumerate(values):
            if seen[value]:
                yield i
            seen[value] += 1


def _wrong_count(buttons: tuple[Button, ...], most: int, what: str) -> Iterator[Found]:
    if not buttons:
        yield "NO_BUTTONS", "buttons", f"add 1 to {most} {what}: this message is made of them"
    elif len(buttons) > most:
        yield "TOO_MANY_BUTTONS", "buttons", f"keep at most {most} {what} of {len(buttons)}"


def _wrong_sections(rows: tuple[Button, ...]) -> Iterator[Found]:
    if any(row.section and row.section.strip() for row in rows):
        for i, row in enumerate(rows):
            if row.section is None or not row.section.strip():
                said = "name this row's section: where rows have sections, every row needs one"
                yield "SECTION_MISSING", f"buttons.{i}.section", said


def _wrong_template_buttons(
    message: TemplateMessage, buttons: tuple[Button, ...]
) -> Iterator[Found]:
    total = len(buttons) + len(message.url_buttons) + (message.copy_code is not None)
    if len(message.url_buttons) > MOST_URL_BUTTONS:
        said = f"a template has at most {MOST_URL_BUTTONS} URL buttons"
        yield "TOO_MANY_BUTTONS", "message.url_buttons", said
    elif total > MOST_TEMPLATE_BUTTONS:
        said = f"a template has at most {MOST_TEMPLATE_BUTTONS} buttons of all kinds"
        yield "TOO_MANY_BUTTONS", "buttons", said
    places = [
        (f"message.url_buttons.{i}.index", u.index) for i, u in enumerate(message.url_buttons)
    ]
    if message.copy_code is not None:
        places.append(("message.copy_code.index", message.copy_code.index))
    for i, button in enumerate(buttons):
        places.append((f"buttons.{i}.index", i if button.index is None else button.index))
    for i in _repeated([str(index) for _, index in places]):
        said = "give every button its own place in the template: `index` counts all of them from 0"
        yield "BUTTON_INDEX_TAKEN", places[i][0], said


def _misplaced_button_fields(node: MessageNode) -> Iterator[Found]:
    is_list, is_template = node.message.type == "list", node.message.type == "template"
    for i, button in enumerate(node.buttons):
        if not is_list and button.description is not None:
            yield _not_allowed(f"buttons.{i}.description", "only list rows have a description")
        if not is_list and button.section is not None:
            yield _not_allowed(f"buttons.{i}.section", "only list rows have a section")
        if not is_template and button.index is not None:
            yield _not_allowed(f"buttons.{i}.index", "only a template's buttons have a place")
