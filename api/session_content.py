"""The content of a session message as one WhatsApp message (reference/connectly.md section 2.2)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from api.json_body import given
from api.message_fields import object_of, objects_of, text_of
from domain.documented_codes import ErrorCode
from domain.errors import BadRequest
from domain.json_text import NumberLiteral
from domain.one_message import Json, OneMessage, flow_of, place, reply_id_name

_KINDS: Final = ("attachments", "location", "listMessage", "replyButtonMessage")
_NOT_HERE: Final = ("singleProductMessage", "multiProductMessage")
_MEDIA: Final = ("image", "video", "audio", "document")
_MEDIA_OF_HEADERS: Final = ("image", "video", "document")
_LINK: Final = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_LONGEST_ID: Final = 256


def read_content(message: Mapping[str, Any]) -> OneMessage:
    """The one content of `message`.

    Raises `BadRequest` with the documented code: no or several contents, one that is not served
    here, or parts of one that no message could be made of.
    """
    _refuse_what_is_not_done_here(message)
    kinds = [kind for kind in _KINDS if given(message, kind) not in (None, [], {})]
    if len(kinds) > 1:
        raise BadRequest(f"`message` must have one content, not {' and '.join(kinds)}.")
    text = text_of(message, "text", "message.text") or ""
    if not kinds:
        return _text(text)
    if text and kinds[0] in {"attachments", "location"}:
        raise BadRequest(
            f"`message` must have one content, not text and {kinds[0]}: an attachment's text is its "
            "`caption`."
        )
    return _READERS[kinds[0]](message, text)


def _refuse_what_is_not_done_here(message: Mapping[str, Any]) -> None:
    for kind in _NOT_HERE:
        if given(message, kind) is not None:
            raise BadRequest(f"`message.{kind}` cannot be sent by this server: it has no catalogs.")
    if given(message, "isEcho") is True:
        raise BadRequest(
            "`message.isEcho` is for messages sent elsewhere, which this server does not take in."
        )
    if given(message, "id"):
        raise BadRequest(
            "`message.id` cannot be chosen here: leave it out and use the `id` of the answer."
        )


def _made(
    message: Json,
    texts: Mapping[str, str],
    fields: Mapping[str, str],
    buttons: list[Json] | None = None,
) -> OneMessage:
    shown = {name: text for name, text in texts.items() if not name.endswith("_id")}
    paths = {path: f"message.{field}" for path, field in fields.items()}
    return OneMessage(flow_of(message, shown, buttons), dict(texts), paths)


def _text(text: str) -> OneMessage:
    if not text.strip():
        raise BadRequest(
            "`message` is empty: give it a text or another content.",
            code=ErrorCode.MESSAGE_TEXT_EMPTY,
            title="Message text is empty",
        )
    message = {"type": "text", "body": place("text")}
    return _made(message, {"text": text}, {"message.body": "text"})


# --- attachments and places ----------------------------------------------------------------------


def _attachments(message: Mapping[str, Any], _text: str) -> OneMessage:
    found = objects_of(message, "attachments", "message.attachments")
    if len(found) > 1:
        raise BadRequest(
            "`message.attachments` must hold one attachment; send the others as further messages.",
            code=ErrorCode.MESSAGE_ATTACHMENTS_NUMBER_INVALID,
            title="Number of attachments is invalid",
        )
    at = "message.attachments[0]"
    kind, url = _media(found[0], at, _MEDIA)
    made: Json = {"type": kind, "link": place("url")}
    texts = {"url": url}
    caption = text_of(found[0], "caption", f"{at}.caption") or ""
    if caption.strip():
        if kind == "audio":
            raise _bad_attachment(f"`{at}.caption` must be left out: audio has no caption.")
        made["caption"], texts["caption"] = place("caption"), caption
    file_name = text_of(found[0], "filename", f"{at}.filename") or ""
    if file_name.strip() and kind == "document":
        made["filename"], texts["filename"] = place("filename"), file_name
    fields = {
        f"message.{path}": f"attachments[0].{field}"
        for path, field in (("link", "url"), ("caption", "caption"))
    }
    return _made(made, texts, fields)


def _media(attachment: Mapping[str, Any], at: str, kinds: tuple[str, ...]) -> tuple[str, str]:
    """Kind and address of an attachment."""
    kind = text_of(attachment, "type", f"{at}.type") or ""
    kind = kind.lower().removeprefix("attachment_type_")
    url = (text_of(attachment, "url", f"{at}.url") or "").strip()
    if not url:
        raise BadRequest(
            f"`{at}.url` is empty: give the attachment's public address.",
            code=ErrorCode.MESSAGE_ATTACHMENT_EMPTY,
            title="Message attachment is empty",
        )
    if kind not in kinds:
        raise _bad_attachment(f"`{at}.type` must be {', '.join(kinds[:-1])} or {kinds[-1]}.")
    if _LINK.fullmatch(url) is None:
        raise _bad_attachment(f"`{at}.url` must be a whole address that begins with https://.")
    return kind, url


def _bad_attachment(message: str) -> BadRequest:
    return BadRequest(
        message,
        code=ErrorCode.MESSAGE_ATTACHMENT_INVALID,
        title="Message attachment is invalid",
    )


def _location(message: Mapping[str, Any], _text: str) -> OneMessage:
    where = object_of(message, "location", "message.location")
    made: Json = {"type": "location"}
    texts: dict[str, str] = {}
    for name in ("latitude", "longitude"):
        value = given(where, name)
        if not isinstance(value, NumberLiteral):
            raise BadRequest(f"`message.location.{name}` must be a number of degrees.")
        made[name], texts[name] = place(name), str(value)
    for name in ("name", "address"):
        text = text_of(where, name, f"message.location.{name}") or ""
        if text.strip():
            made[name], texts[name] = place(name), text
    fields = {f"message.{name}": f"location.{name}" for name in made}
    return _made(made, texts, fields)


# --- buttons and lists ---------------------------------------------------------------------------


def _reply_buttons(message: Mapping[str, Any], text: str) -> OneMessage:
    at = "replyButtonMessage"
    asked = object_of(message, at, f"message.{at}")
    made, texts, fields = _interactive(asked, at, text, {"type": "buttons"}, _MEDIA_OF_HEADERS)
    given_buttons = objects_of(asked, "buttons", f"message.{at}.buttons")
    buttons = []
    for number, button in enumerate(given_buttons, start=1):
        where = f"{at}.buttons[{number - 1}]"
        texts |= _reply_texts(button, number, f"message.{where}")
        fields[f"buttons.{number - 1}.label"] = f"{where}.text"
        buttons.append({"id": str(number), "label": place(f"reply_{number}_text")})
    fields["buttons"] = f"{at}.buttons"
    _refuse_double_ids(texts, at)
    return _made(made, texts, fields, buttons)


def _list(message: Mapping[str, Any], text: str) -> OneMessage:
    at = "listMessage"
    asked = object_of(message, at, f"message.{at}")
    made, texts, fields = _interactive(asked, at, text, {"type": "list"}, ())
    menu = object_of(asked, "button", f"message.{at}.button")
    made["menu"] = place("menu")
    texts["menu"] = text_of(menu, "text", f"message.{at}.button.text") or ""
    fields |= {"message.menu": f"{at}.button.text", "buttons": f"{at}.sections"}
    rows: list[Json] = []
    sections = objects_of(asked, "sections", f"message.{at}.sections")
    for place_of_section, section in enumerate(sections):
        where = f"{at}.sections[{place_of_section}]"
        title = text_of(section, "title", f"message.{where}.title") or ""
        titled = f"section_{place_of_section + 1}" if title.strip() else None
        if titled is not None:
            texts[titled] = title
        for i, row in enumerate(objects_of(section, "rows", f"message.{where}.rows")):
            at_row = f"{where}.rows[{i}]"
            rows.append(_row(row, len(rows) + 1, at_row, titled, texts))
            path = f"buttons.{len(rows) - 1}"
            fields[f"{path}.label"] = f"{at_row}.text"
            fields[f"{path}.description"] = f"{at_row}.description"
            fields[f"{path}.section"] = f"{where}.title"
    _refuse_double_ids(texts, at)
    return _made(made, texts, fields, rows)


def _row(
    row: Mapping[str, Any], number: int, at: str, titled: str | None, texts: dict[str, str]
) -> Json:
    """A row of a list; what it says goes into `texts`."""
    texts |= _reply_texts(row, number, f"message.{at}")
    made: Json = {"id": str(number), "label": place(f"reply_{number}_text")}
    description = text_of(row, "description", f"message.{at}.description") or ""
    if description.strip():
        name = f"reply_{number}_description"
        made["description"], texts[name] = place(name), description
    if titled is not None:
        made["section"] = place(titled)
    return made


def _interactive(
    asked: Mapping[str, Any], at: str, text: str, made: Json, media: tuple[str, ...]
) -> tuple[Json, dict[str, str], dict[str, str]]:
    """Body, header and footer; the body is the message's text, or the content's own `body`."""
    body = object_of(asked, "body", f"message.{at}.body")
    said = text or text_of(body, "text", f"message.{at}.body.text") or ""
    if not said.strip():
        raise BadRequest(
            "`message.text` is empty: it is the text above the buttons.",
            code=ErrorCode.MESSAGE_TEXT_EMPTY,
            title="Message text is empty",
        )
    made["body"] = place("text")
    texts, fields = {"text": said}, {"message.body": "text"}
    header = object_of(asked, "header", f"message.{at}.header")
    attachment = object_of(header, "attachment", f"message.{at}.header.attachment")
    header_text = text_of(header, "text", f"message.{at}.header.text") or ""
    if attachment:
        where = f"message.{at}.header.attachment"
        if not media:
            raise _bad_attachment(f"`{where}` must be left out: a list's header is text.")
        kind, texts["header_url"] = _media(attachment, where, media)
        made["header"] = {"type": kind, "link": place("header_url")}
        file_name = text_of(attachment, "filename", f"{where}.filename") or ""
        if file_name.strip() and kind == "document":
            made["header"]["filename"], texts["header_filename"] = (
                place("header_filename"),
                file_name,
            )
    elif header_text.strip():
        made["header"] = {"type": "text", "text": place("header_text")}
        texts["header_text"] = header_text
    fields["message.header.text"] = f"{at}.header.text"
    footer = object_of(asked, "footer", f"message.{at}.footer")
    footer_text = text_of(footer, "text", f"message.{at}.footer.text") or ""
    if footer_text.strip():
        made["footer"], texts["footer"] = place("footer"), footer_text
    fields["message.footer"] = f"{at}.footer.text"
    return made, texts, fields


def _reply_texts(reply: Mapping[str, Any], number: int, at: str) -> dict[str, str]:
    """What a button or row says, and the caller's own id of it."""
    texts = {f"reply_{number}_text": text_of(reply, "text", f"{at}.text") or ""}
    own = text_of(reply, "id", f"{at}.id") or ""
    if len(own) > _LONGEST_ID:
        raise BadRequest(f"`{at}.id` must have at most {_LONGEST_ID} characters.")
    if own:
        texts[reply_id_name(str(number))] = own
    return texts


def _refuse_double_ids(texts: Mapping[str, str], at: str) -> None:
    ids = [text for name, text in texts.items() if name.endswith("_id")]
    if len(set(ids)) < len(ids):
        raise BadRequest(f"Every button or row of `message.{at}` must have an `id` of its own.")


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], OneMessage]]] = {
    "attachments": _attachments,
    "location": _location,
    "listMessage": _list,
    "replyButtonMessage": _reply_buttons,
}
