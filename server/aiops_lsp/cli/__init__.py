"""The command line: `aiops-lsp`.

Editors start the server through here, so nothing is imported before the chosen command needs it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_COULD_NOT_RUN = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: the process's) name and return the exit code.

    0 is success, 1 findings at or above the wished severity, 2 a command that could not run, 130 an interrupt.
    Raises SystemExit for --help, --version and wrong usage, as argparse does.
    """
    from aiops_lsp.cli.arguments import parse  # noqa: PLC0415 - nothing at import, see above
    from aiops_lsp.cli.failure import CouldNotRun  # noqa: PLC0415

    options = parse(sys.argv[1:] if arguments is None else arguments)
    if options.command != "serve":
        import logging  # noqa: PLC0415

        # What goes wrong is told in our own words; without any handler Python would print the log's lines beside.
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        command = import_module(f"aiops_lsp.cli.commands.{options.command}")
        return int(command.run(options))
    except CouldNotRun as failure:
        from aiops_lsp.cli.console import neutral  # noqa: PLC0415

        sys.stderr.write(f"aiops-lsp: {neutral(str(failure))}\n")
        return _COULD_NOT_RUN
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough (`| head`). Python would complain once more when it flushes at exit.
        sys.stdout = None
        return 0
