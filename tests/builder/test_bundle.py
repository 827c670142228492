"""The Flow Builder's bundle: fresh, small, and made for the API as it is."""

import json

from builder import describe, stamp

MOST_BYTES = 1_000_000


def test_the_bundle_was_built_from_these_sources():
    """`api/static/BUILD` is what the sources and the bundle hash to."""
    assert stamp.FILE.read_text(encoding="utf-8") == stamp.text(), "run `make builder`"


def test_the_front_end_knows_the_api_as_it_is():
    """`builder/api.json` is the API's own description of what the pages read."""
    assert describe.FILE.read_text(encoding="utf-8") == describe.text(), "run `make builder`"


def test_the_front_end_knows_the_limits_of_whatsapp():
    """The editor counts against the numbers that the checks go by."""
    assert describe.LIMITS_FILE.read_text(encoding="utf-8") == describe.limits_text()


def test_the_bundle_is_small():
    """All files together stay below 1 MB, uncompressed."""
    assert sum(path.stat().st_size for path in stamp.BUNDLE.iterdir()) < MOST_BYTES


def test_the_lock_file_names_no_registry():
    """Packages are locked by version and hash, wherever they are fetched from."""
    lock = json.loads((stamp.SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all("integrity" in package for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]
