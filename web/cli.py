"""The command `wangge`: reads the line, runs the command, turns whatever happens into a message and an exit code.

Exit codes: 0 done; 1 the data was refused, nothing changed; 2 wrong use; 3 a fault of ours. Commands are imported only
when they run, so that `wangge --help` answers at once.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from geo.errors import WanggeError
from geo.words import UNWRITABLE, Text

from .commands.parser import COMMANDS, make_parser
from .commands.terminal import language, say

DONE, REFUSED, WRONG_USE, FAULT = 0, 1, 2, 3
INTERRUPTED = 130
"""The shell's own code for Ctrl-C."""

EXIT_CODES = {"input": WRONG_USE, "not_found": WRONG_USE, "rights": WRONG_USE}
"""Code of an error -> exit code; everything else a person can meet is refused data or a store that said no."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    if argv is None and not sys.warnoptions:
        # Notices of libraries to their programmers are of no use to whoever types a command.
        import warnings

        warnings.simplefilter("ignore")
    try:
        arguments = make_parser(language()).parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        module = importlib.import_module(f".commands.{COMMANDS[arguments.command]}", __package__)
        return int(module.run(arguments))
    except WanggeError as error:
        say(error.to(language()))
        return EXIT_CODES.get(error.code, REFUSED)
    except KeyboardInterrupt:
        say(Text("已中断。", "Interrupted."))
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has gone (`wangge layers | head`): nobody is left to tell.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as fault:  # the one place where a fault becomes a line for people
        if isinstance(fault, UnicodeEncodeError) and UNWRITABLE.search(str(fault.object)):
            say(_garbled(str(fault.object)))
            return WRONG_USE
        say(_told(fault))
        return FAULT


def _garbled(given: str) -> Text:
    """Bytes of the command line that are no UTF-8 stand for themselves until somebody has to write them."""
    said = given[:80].encode("ascii", "backslashreplace").decode()
    return Text(
        f"“{said}”里有不是 UTF-8 的文字，请把终端的编码设为 UTF-8。",
        f"'{said}' holds text that is not UTF-8: set the terminal to UTF-8.",
    )


def _told(fault: Exception) -> Text:
    """Write a fault with its trace into the log file and say where that is."""
    import time
    import traceback

    trace = "".join(traceback.format_exception(fault))
    for folder in _log_folders():
        path = folder / "wangge.log"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as log:
                log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {sys.argv[1:2]}\n{trace}\n")
        except OSError:
            continue
        return Text(
            f"程序出错（{type(fault).__name__}），这是程序的问题。详情已写入 {path}，请转交维护者。",
            f"The program failed ({type(fault).__name__}); this is our fault. Details are in {path}: please pass them on.",
        )
    return Text(
        f"程序出错（{type(fault).__name__}），这是程序的问题，且日志无法写入。",
        f"The program failed ({type(fault).__name__}); this is our fault, and no log could be written.",
    )


def _log_folders() -> list[Path]:
    import tempfile

    home = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    state = Path(home) if home else Path(os.path.expanduser("~")) / ".local" / "state"
    return [state / "wangge", Path(tempfile.gettempdir()) / f"wangge-{getattr(os, 'getuid', int)()}"]


if __name__ == "__main__":
    sys.exit(main())
