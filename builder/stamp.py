"""Which sources the bundle in `api/static/` was built from: `api/static/BUILD`.

`make builder` writes it, a test computes it again. So a bundle that is older than its sources, or
was changed by hand, is found without Node.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

SOURCES = Path(__file__).parent
BUNDLE = SOURCES.parent / "api" / "static"
FILE = BUNDLE / "BUILD"

_NAMED = (
    "package.json",
    "package-lock.json",
    "index.html",
    "tsconfig.json",
    "vite.config.ts",
    "api.json",
)


def text() -> str:
    """What the file says: a hash of the sources, a hash of what was built."""
    return f"sources {_digest(SOURCES, _sources())}\nbundle {_digest(BUNDLE, _built())}\n"


def _sources() -> Iterable[Path]:
    """Whatever can change the bundle; tests and generated types are left out."""
    made = SOURCES / "src" / "api" / "schema.d.ts"
    folders = (SOURCES / "src", SOURCES / "public")
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    kept = (path for path in found if path != made and ".test." not in path.name)
    yield from (path for path in kept if "testing" not in path.parts)
    yield from (SOURCES / name for name in _NAMED)


def _built() -> Iterable[Path]:
    return (path for path in BUNDLE.iterdir() if path != FILE)


def _digest(root: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
