"""The command line `bulksend`: one module a command or a few, each imported only when its command is called.

application.py knows them by name and turns every error that a user can cause into one sentence and an exit status.
"""

from scripts.cli.application import main

__all__ = ["main"]
