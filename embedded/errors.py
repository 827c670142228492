"""The one error of this package."""


class StackError(Exception):
    """The embedded stack can't start or go on; the text tells a person what to do."""
