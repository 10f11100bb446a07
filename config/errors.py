"""The error that a user can cause and mend. It stands outside the engine's own tree, so that no catch-all takes it."""


class ConfigError(Exception):
    """The user's input or set-up is wrong. `str(error)` is the one sentence to show; it names the file, line or field.

    It never carries a credential. The commands print it alone, without a traceback, and exit with 2.
    """
