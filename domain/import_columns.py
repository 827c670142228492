"""Which column of an import's CSV gives which part of an entry (api.md section 4). Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.json_text import is_storable

MOST_COLUMNS = 1_000
FIELDS: Final = ("client", "sender", "scheduledAt", "callbackData")
VARIABLE: Final = "variables."

_NAMES_OF_CLIENT = frozenset(
    {"phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "whatsapp", "whatsappnumber"}
    | {"telephone", "number", "msisdn", "externalid", "customerexternalid"}
)
_SEPARATORS = re.compile(r"[\s_.\-]+")


class Column(NamedTuple):
    """A column by its header, and what it gives: None when it is ignored.

    A target is `client`, `sender`, `scheduledAt`, `callbackData` or `variables.<name>`.
    """

    name: str
    target: str | None


class BadColumns(ValueError):
    """The columns cannot be mapped; the message names the column and the fix."""


def map_columns(
    names: Sequence[str], mapping: Mapping[str, Any] | None, variables: Collection[str]
) -> list[Column]:
    """What each column gives: by `mapping` (column to target), else by the headers themselves.

    `variables` are those that the flow declares. Raises `BadColumns`.
    """
    _check_header(names)
    columns = _by_header(names, variables) if mapping is None else _by_mapping(names, mapping)
    if all(column.target != "client" for column in columns):
        raise BadColumns(
            "No column gives the customers' phone numbers: say in `mapping` which one is `client`, "
            f'for example {{"{next(filter(None, names))}": "client"}}'
        )
    return columns


def _check_header(names: Sequence[str]) -> None:
    if not any(names):
        raise BadColumns("The first row must name the columns; it is empty")
    if len(names) > MOST_COLUMNS:
        raise BadColumns(f"There are {len(names):,} columns; {MOST_COLUMNS:,} are the most")
    seen: set[str] = set()
    for name in filter(None, names):
        if not is_storable(name):
            raise BadColumns(f"The name of column {names.index(name) + 1} holds a NUL character")
        if name in seen:
            raise BadColumns(f"Two columns have the name `{name}`; rename one of them")
        seen.add(name)


def _by_header(names: Sequence[str], variables: Collection[str]) -> list[Column]:
    """Exact names before those that differ in case or separators; the first of several columns."""
    targets: dict[str, str] = {}
    for wanted in (_exact, _similar):
        for name, target in wanted(names, variables):
            if name not in targets and target not in targets.values():
                targets[name] = target
    return [Column(name, targets.get(name)) for name in names]


def _exact(names: Sequence[str], variables: Collection[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if name in FIELDS or (name.startswith(VARIABLE) and name != VARIABLE):
            yield name, name
        elif name in variables:
            yield name, VARIABLE + name


def _similar(names: Sequence[str], variables: Collection[str]) -> Iterator[tuple[str, str]]:
    known = {_bare(field): field for field in FIELDS} | dict.fromkeys(_NAMES_OF_CLIENT, "client")
    known |= {_bare(variable): VARIABLE + variable for variable in variables}
    for name in filter(None, names):
        if (target := known.get(_bare(name))) is not None:
            yield name, target


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()


def _by_mapping(names: Sequence[str], mapping: Mapping[str, Any]) -> list[Column]:
    targets = {name.strip(): target for name, target in mapping.items() if target is not None}
    seen: dict[str, str] = {}
    for name, target in targets.items():
        if not name or name not in names:
            raise BadColumns(f"`mapping` names the column `{name}`, which is not in the file")
        is_variable = isinstance(target, str) and target.startswith(VARIABLE)
        if not (is_variable and target != VARIABLE and is_storable(target)) and (
            target not in FIELDS
        ):
            raise BadColumns(
                f"`mapping` must map the column `{name}` to {', '.join(map(_quoted, FIELDS))} or "
                f"`{VARIABLE}<name>`"
            )
        if target in seen:
            raise BadColumns(f"`mapping` maps both `{seen[target]}` and `{name}` to `{target}`")
        seen[target] = name
    return [Column(name, targets.get(name)) for name in names]


def _quoted(field: str) -> str:
    return f"`{field}`"
