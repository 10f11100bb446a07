"""The error of a command that could not do what it was asked, although the input was right."""


class CommandFailed(Exception):
    """The sentence to show; the exit status is 1."""
