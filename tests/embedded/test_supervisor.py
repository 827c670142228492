"""The supervisor, with harmless parts and real signals."""

import os
import signal
import time

import pytest

from embedded.processes import alive
from embedded.supervisor import RESTART_PAUSE
from tests.e2e.patience import PATIENCE
from tests.embedded.conftest import Supervised, eventually


def starts(supervised: Supervised) -> int:
    return supervised.console().count("first started")


def test_parts_start_in_order_with_their_ids_and_logs(supervised: Supervised):
    """Each part has its own process id on file, its output in its log, and steps run between."""
    supervised.up("two")
    console = supervised.console()
    assert console.index("first started") < console.index("second started")
    for part in ("first", "second"):
        assert alive(supervised.pid(part))
        assert (supervised.folder / "log" / f"{part}.log").read_text() == "up\n"
    assert (supervised.folder / "log" / "seed.log").read_text() == "seeded\n"


def test_a_killed_part_is_back_also_the_tenth_time(supervised: Supervised):
    """SIGKILL ends a part ten times in a row; each time its file names a new, living process."""
    supervised.up("two")
    untouched = supervised.pid("second")
    for _ in range(10):
        before = supervised.pid("first")
        os.kill(before, signal.SIGKILL)
        eventually(lambda: supervised.pid("first") != before)  # noqa: B023 - used at once
        assert alive(supervised.pid("first"))
    assert supervised.console().count("first was ended by SIGKILL") == 10
    assert supervised.pid("second") == untouched


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_parts_in_reverse_order(supervised: Supervised, number: signal.Signals):
    """The last started ends first, each by its own signal, and the supervisor exits with 0."""
    process = supervised.up("two")
    pids = [supervised.pid(part) for part in ("first", "second")]
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert (supervised.folder / "order").read_text() == "second\nfirst\n"
    assert not any(alive(pid) for pid in pids)
    assert not list((supervised.folder / "run").glob("*.pid"))


def test_a_part_that_ignores_its_stop_signal_is_killed(supervised: Supervised):
    """When a part's time to stop is over it gets SIGKILL."""
    process = supervised.up("stubborn")
    pid = supervised.pid("first")
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert not alive(pid)


def test_a_part_that_fails_after_its_start_does_not_spin(supervised: Supervised):
    """A part that keeps failing is started at most once a second, with a line each time."""
    supervised.up("sick")
    began, before = time.monotonic(), starts(supervised)
    eventually(lambda: starts(supervised) >= before + 4)
    more = starts(supervised) - before
    # One at the window's very start, and one that was begun before it.
    assert more <= (time.monotonic() - began) / RESTART_PAUSE + 2
    assert "first exited with 3; starting it again" in supervised.console()


def test_a_part_that_never_comes_up_fails_the_start(supervised: Supervised):
    """The start is given up with the tail of the part's log, and nothing is left running."""
    process = supervised.run("broken")
    assert process.wait(PATIENCE) == 1
    assert "first does not become ready" in supervised.console()
    assert "no such luck" in supervised.console()


def test_a_failing_step_ends_everything_with_its_output(supervised: Supervised):
    """A step that fails stops the parts that were up and shows what it printed."""
    process = supervised.run("failing-step")
    assert process.wait(PATIENCE) == 1
    assert "migrate failed (1)" in supervised.console()
    assert "bad schema" in supervised.console()
    assert (supervised.folder / "order").read_text() == "first\n"


def test_a_second_supervisor_on_the_same_folder_is_refused(supervised: Supervised):
    """The refusal names the process in the way and the setting, and harms nobody."""
    first = supervised.up("two")
    pid = supervised.pid("first")
    assert supervised.run("two").wait(PATIENCE) == 1
    assert f"another stack (process {first.pid}) runs on" in supervised.console()
    assert "SENDOUT_DATA_DIR" in supervised.console()
    assert supervised.pid("first") == pid
    assert alive(pid)


def test_parts_end_with_a_killed_supervisor(supervised: Supervised):
    """On Linux the kernel ends the parts of a supervisor that was killed."""
    process = supervised.up("two")
    pids = [supervised.pid(part) for part in ("first", "second")]
    process.kill()
    process.wait()
    eventually(lambda: not any(alive(pid) for pid in pids))


def test_what_a_killed_supervisor_left_behind_is_ended_by_the_next(supervised: Supervised):
    """A part that outlives its supervisor is found by its pid file, ended, and started anew."""
    process = supervised.up("survivor")
    orphan = supervised.pid("first")
    process.kill()
    process.wait()
    assert alive(orphan)
    supervised.up("survivor")
    assert "first of an earlier run ended" in supervised.console()
    assert not alive(orphan)
    assert supervised.pid("first") != orphan


def test_a_stranger_with_a_remembered_id_is_left_alone(supervised: Supervised):
    """A pid file whose process is a different one by now (a reboot, say) harms nobody."""
    process = supervised.up("survivor")
    process.terminate()
    process.wait()
    run = supervised.folder / "run"
    (run / "first.pid").write_text(f"{os.getpid()}\n")
    (run / "first.identity").write_text(f"{os.getpid()} someone else\n")
    supervised.up("survivor")
    assert "of an earlier run" not in supervised.console()
