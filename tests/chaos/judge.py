"""The verdict on a sendout: WhatsApp's ledger against the flow, and the record against both.

The ledger is the simulator's own durable list of what it accepted. The record may say less of a
message only where it says that it does not know.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.chaos.crowd import Crowd, node_of
from tests.chaos.journey import Person
from tests.e2e.business import Sendout, counts

Document = dict[str, Any]
_NOT_KNOWN = {"unknown", "given_up"}
_STATUSES = {"accepted": "sent", "delivered": "delivered", "read": "read", "failed": "failed"}


def doubled(ledger: list[Document]) -> list[tuple[str, str]]:
    """Who was sent the message of which node more than once, or one message id twice."""
    copies = Counter((message["to"], node_of(message)) for message in ledger)
    ids = Counter((message["to"], message["opaque"]) for message in ledger)
    return [copy for times in (copies, ids) for copy, number in times.items() if number > 1]


def sends_of(entry: Document) -> list[Document]:
    """The sends in an entry's timeline."""
    return [step for step in entry["timeline"] if step["type"] == "send"]


def gaps_of(entry: Document) -> set[str]:
    """The nodes of which the record does not know whether their message was sent."""
    return {send["node"] for send in sends_of(entry) if send["state"] in _NOT_KNOWN}


def complaints(crowd: Crowd, entries: Mapping[str, Document]) -> list[str]:
    """Everything that is wrong with what these customers got and with what is recorded of it."""
    got = crowd.got()
    found = [f"{number} got {node} twice" for number, node in doubled(crowd.ledger)]
    for number, person in crowd.people.items():
        found += [f"{number}: {what}" for what in _wrong(person, got[number], entries[number])]
        sent = {m["opaque"]: m["id"] for m in crowd.ledger if m["to"] == number}
        recorded = {s["messageId"]: s["wamid"] for s in sends_of(entries[number]) if s["wamid"]}
        if sent != recorded:
            found.append(f"{number}: accepted {sent}, recorded {recorded}")
    return found


def evidence(complaints: list[str], entries: Mapping[str, Document]) -> str:
    """The complaints, and the timelines of the first few customers they are about."""
    told = [n for n in entries if any(complaint.startswith(n) for complaint in complaints)]
    steps = [
        f"{number} {step}" for number in told[:5] for step in ["", *entries[number]["timeline"]]
    ]
    return "\n".join([*complaints, *steps])


def _wrong(person: Person, got: list[str], entry: Document) -> list[str]:
    """Of one customer: what is lost, what is too much, what is shown otherwise than it is."""
    gaps = gaps_of(entry)
    owed = person.owed(got)
    wrong = [f"{node} is lost, and not shown as unknown" for node in owed - gaps - set(got)]
    wrong += [f"{node} was accepted, and is shown as unknown" for node in gaps & set(got)]
    extra = (set(got) | gaps) - owed
    if "nudge" in extra and _was_judged_before_the_tap(entry):
        extra.discard("nudge")
    wrong += [f"{node} is not what the flow says" for node in extra]
    state = _state_of(person, got)
    if entry["state"] != state:
        wrong.append(f"the entry is {entry['state']}, and should be {state}")
    return wrong


def _was_judged_before_the_tap(entry: Document) -> bool:
    """A tap that was recorded only after its delay was judged comes too late for it.

    A repeated tap changed nothing and names no node.
    """
    steps = entry["timeline"]
    went_on = [s["at"] for s in steps if s.get("node") == "wait" and s.get("verdict") == "go_on"]
    taps = [s["at"] for s in steps if s["type"] == "click" and s.get("node") == "welcome"]
    if not went_on or not taps:
        return False
    return datetime.fromisoformat(min(taps)) >= datetime.fromisoformat(max(went_on))


def _state_of(person: Person, got: list[str]) -> str:
    if "welcome" not in got:
        return "unknown"
    return "completed" if person.is_reachable else "failed"


# --- counting ----------------------------------------------------------------------------------


def entry_counts(crowd: Crowd) -> dict[str, int]:
    """The entry counts that the ledger gives."""
    got = crowd.got()
    return counts(**Counter(_state_of(person, got[n]) for n, person in crowd.people.items()))


def counted_by_ledger(crowd: Crowd, gaps: int) -> dict[str, Counter[str]]:
    """What became of the messages of each node as WhatsApp's side knows it, and the sum in `""`.

    `gaps` is how many are unknown: of those WhatsApp knows nothing.
    """
    nodes: dict[str, Counter[str]] = {"": Counter(unknown=gaps)}
    for message in crowd.ledger:
        person = crowd.people[message["to"]]
        node = node_of(message)
        fate = Counter(
            sent=1,
            delivered=person.receives(node),
            read=person.reads,
            failed=not person.is_reachable,
        )
        nodes.setdefault(node, Counter()).update(fate)
        nodes[""].update(fate)
    for _, node, button in crowd.tapped:
        nodes[node][f"clicked {button}"] += 1
    nodes[""]["clicked"] = len({number for number, _, _ in crowd.tapped})
    return {node: +counter for node, counter in nodes.items()}


def counted_by_timelines(entries: Mapping[str, Document]) -> dict[str, Counter[str]]:
    """The same from the entries' timelines, unknown ones by their node too."""
    nodes: dict[str, Counter[str]] = {"": Counter()}
    for entry in entries.values():
        steps = entry["timeline"]
        facts = [(s["node"], _STATUSES[s["status"]]) for s in steps if _is_counted_status(s)]
        # WhatsApp leaves `delivered` out where `read` says it already; a fact counts once.
        facts += [(node, "delivered") for node, status in facts if status == "read"]
        facts += [(node, "unknown") for node in gaps_of(entry)]
        for node, fact in set(facts):
            nodes.setdefault(node, Counter())[fact] += 1
            nodes[""][fact] += 1
        clicks = {(s["node"], s["button"]) for s in steps if s["type"] == "click" and s["counted"]}
        for node, button in clicks:
            nodes.setdefault(node, Counter())[f"clicked {button}"] += 1
        nodes[""]["clicked"] += bool(clicks)
    return {node: +counter for node, counter in nodes.items()}


def _is_counted_status(step: Document) -> bool:
    return step["type"] == "status" and step["status"] in _STATUSES


def counted_by_the_record(shown: Document) -> dict[str, Counter[str]]:
    """The counts that the sendout shows, in the same form."""
    nodes: dict[str, Counter[str]] = {"": Counter(shown["messages"])}
    for node, given in shown["nodes"].items():
        clicked = {f"clicked {button}": n for button, n in given["clicked"].items()}
        nodes[node] = Counter({k: n for k, n in given.items() if k != "clicked"} | clicked)
    return {node: +counter for node, counter in nodes.items() if not node or +counter}


def read_entries(sendout: Sendout) -> dict[str, Document]:
    """Every entry of a sendout with its timeline, by client."""
    return {
        client: sendout.entry_by_id(entry["entryId"]) for client, entry in sendout.entries().items()
    }


def without_unknown(nodes: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """What WhatsApp can know: everything but which messages are unknown, node by node."""
    known = {
        node: Counter({k: n for k, n in counter.items() if not node or k != "unknown"})
        for node, counter in nodes.items()
    }
    return {node: counter for node, counter in known.items() if not node or counter}
