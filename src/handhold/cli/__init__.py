"""The command line: the same acts as on the pages, for people and for scripts.

Exit codes: 0 done; 1 something is wrong with what was asked or given (one sentence says what, where, why and what to
do); 2 the command was misspelt; 3 the ledger does not verify; 130 stopped by Ctrl-C.
"""

import sys

import click

from handhold import access, casework, feeds, followup, ledger, notices, oversight, pack, store
from handhold.cli import agencies, deliveries, files, work  # noqa: F401 - each adds its commands
from handhold.cli.common import ERRORS, handhold
from handhold.web.listening import CannotListen

# What a person can mend: one sentence, no traceback. Anything else is our mistake and shows where it happened.
OWN_ERRORS = (
    store.StoreError,
    pack.PackError,
    feeds.FeedError,
    oversight.FigureError,
    ledger.LedgerError,
    casework.Busy,
    access.tokens.TokenError,
    followup.StepError,
    notices.NoticeError,
    CannotListen,
)
STOPPED = 130


def main() -> None:
    """The door: Handhold's own errors are one sentence, without a traceback."""
    try:
        handhold(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _say(error.message)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _say("stopped; what was done is kept, and the same command goes on from there")
        sys.exit(STOPPED)
    except OWN_ERRORS as error:
        _say(str(error))
        sys.exit(1)


def _say(sentence: str) -> None:
    ERRORS.print(f"handhold: {sentence}", style="red", markup=False, soft_wrap=True)


__all__ = ["handhold", "main"]
