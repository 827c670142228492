"""The simulator's SQLite file: everything it must still know after it was killed."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channels (
    position INTEGER PRIMARY KEY,
    phone_number_id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    configured TEXT
);
CREATE TABLE IF NOT EXISTS templates (
    id INTEGER PRIMARY KEY,
    waba_id TEXT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (waba_id, name, language)
);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    wamid TEXT NOT NULL UNIQUE,
    opaque TEXT,
    phone_number_id TEXT NOT NULL,
    customer TEXT NOT NULL,
    failed INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_of_customer ON messages (customer, number);
CREATE INDEX IF NOT EXISTS messages_by_opaque ON messages (opaque, number);
CREATE TABLE IF NOT EXISTS said (
    number INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS said_by_customer ON said (customer, number);
CREATE TABLE IF NOT EXISTS customers (
    digits TEXT PRIMARY KEY,
    wa_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS customers_by_wa_id ON customers (wa_id);
CREATE INDEX IF NOT EXISTS customers_by_user_id ON customers (user_id);
CREATE TABLE IF NOT EXISTS conversations (
    phone_number_id TEXT NOT NULL,
    customer TEXT NOT NULL,
    last_inbound REAL NOT NULL DEFAULT 0,
    stopped INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (phone_number_id, customer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (scope TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS media (id INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    phone_number_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    due REAL NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS webhooks_of_lane ON webhooks (lane);
"""

# What a reset forgets. Channels and the counter of message ids stay.
_FORGOTTEN = (
    "templates", "messages", "said", "customers", "conversations", "failures", "media", "webhooks",
)  # fmt: skip


class Database:
    """The one connection to the file; every use of it is on the event loop's thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.execute = self.connection.execute
        self.execute("PRAGMA busy_timeout = 5000")
        self.execute("PRAGMA journal_mode = WAL")
        # The write-ahead log is in the kernel's hands at commit, so a killed process loses
        # nothing; only a power cut could, and the simulator is not for that.
        self.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(_SCHEMA)
        self._set_once("instance", secrets.token_hex(8))
        self._set_once("sequence", 0)
        self.instance = str(self.fact("instance"))

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits what was done inside, or nothing of it when an exception leaves it."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def next_number(self) -> int:
        """A number never given before, across restarts and resets."""
        row = self.execute(
            "UPDATE facts SET value = value + 1 WHERE name = 'sequence' RETURNING value"
        ).fetchone()
        return int(row[0])

    def fact(self, name: str) -> object:
        """A single stored value, or None."""
        row = self.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_fact(self, name: str, value: str | int) -> None:
        self.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def forget(self) -> None:
        for table in _FORGOTTEN:
            self.execute(f"DELETE FROM {table}")

    def _set_once(self, name: str, value: str | int) -> None:
        self.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
