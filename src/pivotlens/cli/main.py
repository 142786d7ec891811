"""Entry point: parse, run, and turn errors into a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextvars import copy_context
from importlib import metadata

from cyclopts import App, CycloptsError, UnknownOptionError
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from pivotlens.cli.verbs import add_stage_verbs
from pivotlens.errors import ConfigError, PivotLensError, UnfinishedError, closest
from pivotlens.text.scripts import escape_controls

_EPILOGUE = "Documentation: README.md and docs/ of the repository. Exit codes: 0 done, 2 settings, 3 something missing, 4 input data, 5 model, 6 run folder, 7 portions go on, 130 interrupted."  # noqa: E501


def build_app() -> App:
    """Return the command line application."""
    from pivotlens.cli import compare, demo, doctor, init, run, show, tasks_path, units, verify

    app = App(
        name="pivotlens",
        help="How language models carry meaning across languages: measure, trace, count, mine and select.",
        help_epilogue=_EPILOGUE,
        version=_version,
        help_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,  # or cyclopts would end the process without our message
    )
    add_stage_verbs(app)
    for module in (run, init, show, units, compare, verify, doctor, demo, tasks_path):
        module.add(app)
    return app


def _version() -> str:
    return metadata.version("pivotlens")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    console = Console(stderr=True, highlight=False)
    try:
        _refuse_other_than_utf8(sys.argv[1:] if arguments is None else arguments)
        # Bars and notices are installed for this call alone: who calls from Python keeps their own.
        copy_context().run(build_app(), arguments, exit_on_error=False, print_error=False, error_console=console)
    except PivotLensError as error:
        return _report(console, error)
    except CycloptsError as error:
        return _report(console, _parse_error(error))
    except KeyboardInterrupt:
        console.print("Interrupted; finished parts are kept, the same command goes on from there.")
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def _refuse_other_than_utf8(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if argument != argument.encode("utf-8", "replace").decode("utf-8"):
            raise ConfigError(f"{argument!r} (command line) is not UTF-8", "Rename the file or folder.")


def _parse_error(error: CycloptsError) -> ConfigError:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        problem = cause.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        return ConfigError(f"{where} = {problem['input']!r} (command line): {problem['msg']}", "See --help.")
    hint = "Run the command with --help to see what it takes."
    if isinstance(error, UnknownOptionError) and error.token.keyword is not None:
        given = error.token.keyword
        names = [name for argument in error.argument_collection if argument.parse for name in argument.names]
        like = " or ".join(closest(given, names))
        return ConfigError(f"Unknown option: {given}.{f' Did you mean {like}?' if like else ''}", hint)
    return ConfigError(str(error).strip(), hint)


def _report(console: Console, error: PivotLensError) -> int:
    # Text, not markup: messages quote what comes from files.
    message, hint = (escape_controls(text, keep="\n") for text in (error.message, error.hint))
    begins = ("Unfinished: ", "bold") if isinstance(error, UnfinishedError) else ("Error: ", "bold red")
    console.print(Text.assemble(begins, message), soft_wrap=True)
    if hint:
        console.print(Text(f"  → {hint}"), soft_wrap=True)
    return error.exit_code
