"""argparse that speaks the reader's language, and the kinds of values the command line takes."""

import argparse
import re
import sys
from datetime import date
from typing import Any, NoReturn

from geo.errors import InputError
from geo.words import Text

from .terminal import language

# What argparse says, put into Chinese.
_SAID = (
    (r"the following arguments are required: (.*)", r"缺少参数：\1"),
    (r"unrecognized arguments: (.*)", r"无法识别的参数：\1"),
    (r"argument (.+?): invalid choice: (.+?) \(choose from (.*)\)", r"参数 \1：不能是 \2，可选 \3"),
    (r"argument (.+?): expected (?:one|at least one) argument", r"参数 \1：缺少取值"),
    (r"argument (.+?): invalid \w+ value: (.*)", r"参数 \1：取值 \2 不对"),
    (r"argument (.+?): not allowed with argument (.*)", r"参数 \1 不能与 \2 同用"),
    (r"argument (.+?): (.*)", r"参数 \1：\2"),
)


class Parser(argparse.ArgumentParser):
    """argparse that speaks the reader's language; `add` takes help as `Text`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(add_help=False, allow_abbrev=False, **options)
        zh = language() == "zh"
        self._positionals.title = "参数" if zh else "arguments"
        self._optionals.title = "选项" if zh else "options"
        self.add_argument("-h", "--help", action="help", help="显示帮助" if zh else "show this help")

    def add(self, *names: str, help: Text, **options: Any) -> None:
        """One argument with its help in both languages."""
        self.add_argument(*names, help=help.to(language()).replace("%", "%%"), **options)

    def format_usage(self) -> str:
        """The line that shows how to use the command."""
        return self._translated(super().format_usage())

    def format_help(self) -> str:
        """The whole help."""
        return self._translated(super().format_help())

    def _translated(self, text: str) -> str:
        return re.sub(r"^usage:", "用法：", text) if language() == "zh" else text

    def error(self, message: str) -> NoReturn:
        """Wrong use: what is wrong, how it is used, exit code 2."""
        said = message
        if language() == "zh":
            for pattern, chinese in _SAID:
                if re.fullmatch(pattern, message, re.DOTALL):
                    said = re.sub(pattern, chinese, message, flags=re.DOTALL)
                    break
        sys.stderr.write(self.format_usage())
        words = Text(f"{said}。用 {self.prog} --help 查看说明。", f"{said}. See {self.prog} --help.")
        sys.stderr.write(words.to(language()).replace("。。", "。") + "\n")
        raise SystemExit(2)


class Version(argparse.Action):
    """Shows the version and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        from importlib.metadata import version

        print(f"wangge {version('wangge')}")
        parser.exit()


def a_date(text: str) -> str:
    """An ISO date, as text."""
    from layers.storage.history import within_days

    try:
        return within_days(date.fromisoformat(text)).isoformat()
    except ValueError:
        words = Text(
            f"“{text}”不是 1800 至 2999 年 YYYY-MM-DD 形式的日期",
            f"'{text}' is not a date of the years 1800 to 2999 like 2026-03-01",
        )
        raise argparse.ArgumentTypeError(words.to(language())) from None


def a_count(text: str) -> int:
    """A whole number above zero."""
    if text.isascii() and text.isdigit() and 0 < int(text) <= 10**9:
        return int(text)
    words = Text(f"“{text[:20]}”不是大于 0 的整数", f"'{text[:20]}' is not a whole number above zero")
    raise argparse.ArgumentTypeError(words.to(language()))


def a_port(text: str) -> int:
    """A port number; 0 lets the machine choose a free one."""
    if text.isascii() and text.isdigit() and int(text) < 65_536:
        return int(text)
    words = Text(f"“{text[:20]}”不是端口号", f"'{text[:20]}' is not a port number")
    raise argparse.ArgumentTypeError(words.to(language()))


def some_boundaries(text: str) -> str:
    """then, today or a date."""
    return text if text in ("then", "today") else str(a_date(text))


def a_moment(text: str) -> str:
    """A date (its end) or a moment, as the store writes moments."""
    from layers.storage.known import past_moment

    try:
        return past_moment(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(error.what.to(language())) from None


def a_pair(text: str) -> tuple[str, str]:
    """COLUMN=FIELD; the column's name may itself hold an equals sign."""
    column, sign, name = text.rpartition("=")
    if not sign or not column or not name:
        words = Text(f"“{text[:60]}”应写作 列名=字段名", f"'{text[:60]}' should read COLUMN=FIELD")
        raise argparse.ArgumentTypeError(words.to(language()))
    return column, name
