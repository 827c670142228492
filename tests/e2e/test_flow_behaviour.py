"""Runs as flow.md section 2 tells them, on the whole stack, with delays of seconds.

An entry that has ended sends nothing more until its customer does something: what was got by then
is all.
"""

from datetime import UTC, datetime, timedelta

from tests.e2e.business import Business, Document, counts
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import ask, button, delay, flow, invitation, template, text
from tests.e2e.patience import eventually
from tests.e2e.provider_events import Webhook, delivered

# --- delays ------------------------------------------------------------------------------------


def test_only_the_silent_are_nudged(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """After a no-click delay a tap of any button has spared its customer the nudge."""
    silent, curious, done = numbers.take(3)
    left_alone = business.start(name, invitation(2), [silent])
    # Nobody waits for their delay: a tap ends it at once.
    tapped = business.start(f"{name} 2", invitation(600), [curious, done])
    customers.tap(customers.await_message(curious, "Hello!"), "yes")
    customers.tap(customers.await_message(done, "Hello!"), "no")

    assert left_alone.await_idle()["entries"] == counts(completed=1)
    assert tapped.await_idle()["entries"] == counts(completed=2)

    assert customers.got(silent) == ["Hello!", "Still there?"]
    assert customers.got(curious) == ["Hello!", "Here is more."]
    assert customers.got(done) == ["Hello!"]
    decision = left_alone.steps(silent, "decision")[-1]
    assert decision["verdict"] == "go_on"
    assert (decision["inputs"]["received"], decision["inputs"]["clicked"]) == (True, False)


def test_a_delay_for_all_also_reaches_who_tapped(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """`all` asks for receipt only; the answer to the tap comes at once, beside it."""
    silent, curious = numbers.take(2)
    sendout = business.start(name, invitation(4, "all"), [silent, curious])
    customers.tap(customers.await_message(curious, "Hello!"), "yes")
    customers.await_message(curious, "Here is more.")

    sendout.await_idle()

    assert customers.got(silent) == ["Hello!", "Still there?"]
    assert sorted(customers.got(curious)) == ["Hello!", "Here is more.", "Still there?"]


def test_a_text_ends_a_no_response_delay(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Whoever wrote anything to the sender is not reminded; a no-click delay does not mind texts."""
    writing, silent, wordy = numbers.take(3)
    # Both delays are due, and the text shows that the message arrived: it ends one of them alone.
    customers.behave([writing, wordy], deliver=False)
    sendout = business.start(name, invitation(1, "no_response"), [writing, silent])
    other = business.start(f"{name} 2", invitation(1, "no_click"), [wordy])
    for run, number in ((sendout, writing), (other, wordy)):
        run.await_overdue(number)
        customers.write(number, "What is this about?")

    sendout.await_idle()
    other.await_idle()

    assert customers.got(writing) == ["Hello!"]
    assert customers.got(silent) == customers.got(wordy) == ["Hello!", "Still there?"]


def test_a_delay_that_is_due_waits_for_a_late_delivery(
    webhook: Webhook,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """Phones that are off: the nudge follows once the message arrived, and not before."""
    late, tapping, writing = numbers.take(3)
    customers.behave([late, tapping, writing], deliver=False)
    sendout = business.start(name, invitation(1), [late, tapping])
    to_all = business.start(f"{name} 2", invitation(1, "all"), [writing])
    for run, number in ((sendout, late), (sendout, tapping), (to_all, writing)):
        run.await_overdue(number)
        assert customers.got(number) == ["Hello!"]

    assert webhook.call(delivered(customers.messages(late)[0])) == 200
    customers.tap(customers.await_message(tapping, "Hello!"), "yes")
    customers.write(writing, "My phone was off")

    sendout.await_idle()
    to_all.await_idle()
    assert customers.got(late) == customers.got(writing) == ["Hello!", "Still there?"]
    assert customers.got(tapping) == ["Hello!", "Here is more."]


# --- failures ----------------------------------------------------------------------------------


def test_a_message_that_fails_ends_its_entry_with_the_code(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Reported later (131026) or refused at once (131008): failed, and no nudge follows."""
    unreachable, refused, fine = numbers.take(3)
    customers.behave([unreachable], failWith=131026)
    customers.behave([refused], failWith=131008)
    sendout = business.start(name, invitation(2), [unreachable, refused, fine])

    sendout.await_states(failed=[unreachable, refused], completed=[fine])

    assert {
        client: entry["error"]["providerCode"]
        for client, entry in sendout.entries(state="failed").items()
    } == {unreachable: 131026, refused: 131008}
    assert customers.got(unreachable) == ["Hello!"]
    assert customers.got(refused) == []
    shown = sendout.read()
    assert (shown["messages"]["sent"], shown["messages"]["failed"]) == (3, 2)
    assert (shown["nodes"]["hello"]["failed"], shown["nodes"]["nudge"]["sent"]) == (2, 1)


# --- clicks ------------------------------------------------------------------------------------


def test_each_button_answers_once(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """The same tap delivered twice, or the same button tapped again, changes nothing; another button does."""
    number = next(numbers)
    menu = flow(
        menu=template("Menu", button("soup", "soup"), button("salad", "salad")),
        soup=text("Soup!"),
        salad=text("Salad!"),
    )
    customers.behave([number], duplicateStatuses=True, shuffleStatuses=True, read=True)
    sendout = business.start(name, menu, [number])
    wamid = customers.await_message(number, "Menu")

    customers.tap(wamid, "soup")
    customers.await_message(number, "Soup!")
    again = customers.tap(wamid, "soup")
    sendout.await_step(number, "click", inboundId=again, counted=False)
    customers.tap(wamid, "salad")
    customers.await_message(number, "Salad!")

    sendout.await_idle()
    assert customers.got(number) == ["Menu", "Soup!", "Salad!"]
    node = sendout.read()["nodes"]["menu"]
    assert (node["sent"], node["clicked"]) == (1, {"soup": 1, "salad": 1})


# --- opting out --------------------------------------------------------------------------------


def test_an_opt_out_stops_marketing_but_not_the_rest(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """By a STOP text or a marked button: the marketing nudge is not sent, a utility template is."""
    writing, tapping, content = numbers.take(3)
    # The nudge is due for both, and what they do to opt out shows that the message arrived.
    customers.behave([writing, tapping], deliver=False)
    offer = flow(
        hello=template("Hello!", button("yes"), button("enough", opt_out=True), then="wait"),
        wait=delay(1, "all", "nudge"),
        nudge=template("Still there?"),
    )
    sendout = business.start(name, offer, [writing, tapping, content])
    sendout.await_overdue(writing)
    sendout.await_overdue(tapping)
    customers.write(writing, " stop! ")
    customers.tap(customers.await_message(tapping, "Hello!"), "enough")

    assert sendout.await_idle()["entries"] == counts(completed=3)
    assert customers.got_by([writing, tapping]) == {writing: ["Hello!"], tapping: ["Hello!"]}
    assert customers.got(content) == ["Hello!", "Still there?"]
    for number in (writing, tapping):
        assert [s["reason"] for s in sendout.steps(number, "not_sent")] == ["opted_out"]

    marketing = business.start(f"{name} 2", flow(news=template("News!")), [writing, content])
    receipt = flow(receipt=template("Your receipt", category="utility"))
    utility = business.start(f"{name} 3", receipt, [writing])
    marketing.await_states(opted_out=[writing], completed=[content])
    utility.await_states(completed=[writing])
    assert customers.got(writing) == ["Hello!", "Your receipt"]
    customers.write(writing, "START")
    eventually(lambda: len(sendout.steps(writing, "reply")), 2)
    business.start(f"{name} 4", flow(more=template("More news!")), [writing]).await_idle()
    assert customers.got(writing) == ["Hello!", "Your receipt", "More news!"]


# --- asks --------------------------------------------------------------------------------------


def test_an_ask_takes_the_next_text_or_times_out(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """The answer goes into what follows and into the entry; silence takes the other way."""
    telling, silent = numbers.take(2)

    def survey(timeout: int) -> Document:
        return flow(
            hello=template("A question?", button("yes", "question")),
            question=text("Which colour?", then="colour"),
            colour=ask("colour", timeout, then="thanks", on_timeout="pity"),
            thanks=text("{{colour}} it is."),
            pity=text("Maybe next time."),
        )

    told = business.start(name, survey(120), [telling])
    untold = business.start(f"{name} 2", survey(2), [silent])
    for sendout, number in ((untold, silent), (told, telling)):
        wamid = customers.await_message(number, "A question?")
        customers.write(number, "Before the question")
        sendout.await_step(number, "reply")
        customers.tap(wamid, "yes")
        sendout.await_step(number, "ask", node="colour")
    customers.write(telling, "Deep blue")

    customers.await_message(telling, "Deep blue it is.")
    customers.await_message(silent, "Maybe next time.")
    told.await_idle()
    untold.await_idle()
    assert customers.got(telling) == ["A question?", "Which colour?", "Deep blue it is."]
    assert customers.got(silent) == ["A question?", "Which colour?", "Maybe next time."]
    assert told.entry(telling)["outputVariables"] == {"colour": "Deep blue"}
    assert untold.entry(silent)["outputVariables"] == {}


# --- levers ------------------------------------------------------------------------------------


def test_a_pause_across_a_due_time_loses_and_doubles_nobody(
    webhook: Webhook,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """Held before the nudge, and before the start; resume releases both, once, twice resumed or not."""
    early, later = numbers.take(10), numbers.take(10)
    # Their phones are off; the nudge falls due when they are on again, during the pause.
    customers.behave(early, deliver=False)
    sendout = business.start(name, invitation(1), early)
    for number in early:
        sendout.await_overdue(number)
    assert sendout.order("pause")["state"] == "paused"
    business.send(name, later)
    for number in early:
        assert webhook.call(delivered(customers.messages(number)[0])) == 200
        sendout.await_step(number, "hold", node="nudge", heldFor="sendout")
    assert customers.got_by(early) == {n: ["Hello!"] for n in early}
    assert set(sendout.states().values()) == {"running", "queued"}

    assert sendout.order("resume")["state"] == "running"
    sendout.order("resume")

    sendout.await_states(completed=[*early, *later])
    both = [*early, *later]
    assert customers.got_by(both) == {n: ["Hello!", "Still there?"] for n in both}


def test_cancelling_ends_runs_without_another_send(
    webhook: Webhook,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """One entry or all of them, in the middle of a delay; a click afterwards is only recorded."""
    single, others = next(numbers), numbers.take(3)
    # Their phones are off; the nudge falls due when they are on again, after the cancel.
    customers.behave([single, *others], deliver=False)
    sendout = business.start(name, invitation(1), [single, *others])
    for number in (single, *others):
        sendout.await_overdue(number)
    messages = {n: customers.messages(n)[0] for n in (single, *others)}
    entry = sendout.entries()[single]
    cancelled = business.post(f"/entries/{entry['entryId']}/cancel")["entity"]
    assert cancelled["state"] == "cancelled"
    sendout.await_states(cancelled=[single], running=others)

    customers.tap(messages[single]["id"], "yes")
    sendout.await_step(single, "click", button="yes")
    assert sendout.order("cancel")["entries"] == counts(cancelled=4)
    customers.tap(messages[others[0]]["id"], "yes")
    sendout.await_step(others[0], "click", button="yes")
    for number in others[1:]:
        assert webhook.call(delivered(messages[number])) == 200

    # The campaign's next sendout begins after all that, and waits longer.
    witness = next(numbers)
    business.send(name, [witness]).await_idle()
    assert customers.got(witness) == ["Hello!", "Still there?"]
    assert customers.got_by(messages) == {n: ["Hello!"] for n in messages}
    assert sendout.read()["entries"] == counts(cancelled=4)


def test_a_scheduled_entry_waits_for_its_time(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """It is shown as scheduled and not sent before; an entry without a time does not wait for it."""
    at_once, later, tomorrow = numbers.take(3)
    business.publish(name, flow(hello=template("Hello!")))
    due = datetime.now(UTC) + timedelta(seconds=6)
    in_a_day = due + timedelta(days=1)
    entries = [
        {"client": later, "campaignName": name, "scheduledAt": due.isoformat()},
        {"client": tomorrow, "campaignName": name, "scheduledAt": in_a_day.isoformat()},
        {"client": at_once, "campaignName": name},
    ]

    sendout = business.send_entries(entries)
    customers.await_message(at_once, "Hello!")
    sendout.await_states(completed=[at_once, later], scheduled=[tomorrow])

    assert customers.got_by([at_once, later]) == {at_once: ["Hello!"], later: ["Hello!"]}
    accepted_at = datetime.fromisoformat(customers.messages(later)[0]["acceptedAt"])
    assert accepted_at >= due


def test_a_draft_is_tried_with_its_delays_cut(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """The whole flow of 20-hour delays reaches the number, and the campaign counts nothing."""
    number = next(numbers)
    campaign_id = business.draft(name, invitation(20 * 3600))

    order = {"client": number, "variables": {}, "maxDelay": "PT1S"}
    test = business.post(f"/campaigns/{campaign_id}/test", order)["entity"]

    customers.await_message(number, "Still there?")
    assert customers.got(number) == ["Hello!", "Still there?"]
    eventually(lambda: business.get(f"/sendouts/{test['sendoutId']}")["entity"]["source"], "test")
    assert business.get("/sendouts", campaignId=campaign_id)["data"] == []
    assert business.post(f"/campaigns/{campaign_id}/publish")["campaignName"] == name
    sendout = business.send(name, [number])
    sendout.await_states(running=[number])
