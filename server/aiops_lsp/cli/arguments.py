"""What may be written after `aiops-lsp`, read with the standard library alone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from aiops_lsp import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

SEVERITIES = ("low", "medium", "high", "critical")
FORMATS = ("text", "json", "sarif", "github")
HEAD = "HEAD"

_EPILOG = """\
Without a command the language server is started; editors do that.
Exit codes: 0 nothing found, 1 findings at or above --fail-on, 2 could not run (the reason is on stderr).
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one command, its module's name in `command`.

    Raises SystemExit with code 2 and a usage message on stderr for anything else.
    """
    words = list(arguments)
    if not words or words[0] in ("--stdio", "--tcp", "--ws") or words[0].startswith(("--tcp=", "--ws=")):
        words.insert(0, "serve")
    return _parser().parse_args(words)


def host_and_port(text: str) -> tuple[str, int]:
    """Read `HOST:PORT` or `[IPV6]:PORT`. Raises ArgumentTypeError, in words, for anything else."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (colon and bare) or (":" in bare and bare == host):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form HOST:PORT, as in 127.0.0.1:2087 or [::1]:2087")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise argparse.ArgumentTypeError(f"{port!r} is not a port: give a number from 0 (any free port) to 65535")
    return bare, int(port)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 <= amount <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount in US dollars, as in 0.25")
    return amount


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 3660):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 3660")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aiops-lsp",
        description="Reviews code with a language model, or by rules alone: in editors as a language server, and here.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"aiops-lsp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)

    _serve(add("serve", "Start the language server (the default command)."))
    _review(add("review", "Review files and print what was found."))
    _doctor(add("doctor", "Say how everything is set up, or why a file is or is not sent to a model."))
    _allow(add("allow", "List the hosts that may receive source code, allow one, or take that back."))
    _usage(add("usage", "Report tokens and dollars spent and saved."))
    _cache(add("cache", "Show or clear the cache of results."))
    _config(add("config", "Show the settings that hold, or the schema of the configuration file."))
    _rule(add("rule", "Show the page of an offline rule, or list the rules."))
    return parser


def _serve(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--stdio", action="store_true", help="talk over standard input and output (the default)")
    ways.add_argument("--tcp", type=host_and_port, metavar="HOST:PORT", help="listen on a TCP port")
    ways.add_argument("--ws", type=host_and_port, metavar="HOST:PORT", help="listen for WebSockets")


def _review(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: the current folder)")
    parser.add_argument(
        "--diff",
        nargs="?",
        const=HEAD,
        metavar="REV",
        help="report only on lines that differ from this git revision (default: HEAD)",
    )
    parser.add_argument("--offline", action="store_true", help="send nothing: review by rules alone")
    parser.add_argument("--format", choices=FORMATS, default="text", help="form of the output (default: text)")
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="medium",
        metavar="SEVERITY",
        help="lowest severity that makes the exit code 1: low, medium (default), high or critical",
    )
    parser.add_argument("--max-cost", type=_amount, metavar="USD", help="most that this run may spend, in US dollars")
    parser.add_argument(
        "--write-baseline", action="store_true", help="write all that was found to the baseline, so that only new shows"
    )


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", metavar="PATH", help="a file to explain, region by region")


def _allow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", nargs="?", metavar="HOST", help="a host, as in api.openai.com; without: list them")
    parser.add_argument("--everywhere", action="store_true", help="for all workspaces, not only the current folder's")
    parser.add_argument("--revoke", action="store_true", help="take the permission back")


def _usage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=_days, default=30, metavar="N", help="how far back to look (default: 30)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("stats", "clear"))


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show", "schema"))


def _rule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="a rule, as in py/eval-input; without: list all")
