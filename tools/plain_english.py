"""`python -m tools.plain_english`: find prose that is not plain technical English."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click

from tools.language import hash_comments, markup, python_source
from tools.language.prose import Passage
from tools.language.rules import GOAL, Finding, WordList, findings, house_words
from tools.tracked import ROOT, tracked_files

LONGEST = 30
# Most strings of a test are its data, so only what it raises and asserts is a message.
TEST_FOLDER = "tests"
MANY_FILES = 100
SETTINGS = {"Makefile", "pyproject.toml", ".env.example"}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--strict-length", is_flag=True, help=f"Accept at most {GOAL} words a sentence.")
@click.option("--summary", is_flag=True, help="Print the numbers by folder and by word.")
def main(paths: tuple[Path, ...], *, strict_length: bool, summary: bool) -> None:
    """Check the tracked files below PATHS, or all; exit 1 where a rule is broken."""
    found = check(_selected(paths), GOAL if strict_length else LONGEST)
    for line in _summary(found) if summary else (each.at(path) for path, each in found):
        click.echo(line)
    if found:
        click.echo(f"Places that are not plain English: {len(found)}", err=True)
    sys.exit(1 if found else 0)


def check(paths: Sequence[Path], longest: int | None) -> list[tuple[Path, Finding]]:
    """Return the findings of some files, in the files' order.

    Args:
        paths: the files, relative to the root of the repository; those without prose are skipped.
        longest: words that a sentence may have, see `findings`.

    """
    check_one = partial(_check_file, longest=longest)
    if len(paths) < MANY_FILES:
        results: Iterable[list[Finding]] = map(check_one, paths)
    else:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(check_one, paths, chunksize=32))
    return [(path, each) for path, found in zip(paths, results, strict=True) for each in found]


def check_text(
    path: Path, text: str, longest: int | None = LONGEST, words: WordList | None = None
) -> list[Finding]:
    """Return the findings in a file's text, in the order of its lines.

    Args:
        path: the file, relative to the root of the repository; it decides how the text is read.
        text: its content.
        longest: words that a sentence may have, see `findings`.
        words: the word list; None: the repository's own.

    """
    words = words or house_words()
    allowed = words.allowed.get(path.as_posix(), frozenset())
    return sorted(
        each
        for passage in _prose(path, text)
        for each in findings(passage, words, longest)
        if each.found.lower() not in allowed
    )


def _check_file(path: Path, longest: int | None) -> list[Finding]:
    return (
        check_text(path, (ROOT / path).read_text(encoding="utf-8"), longest) if _read(path) else []
    )


def _read(path: Path) -> bool:
    """Return whether a file has prose that is checked."""
    return path.suffix in {".py", ".md", ".html"} or path.name in SETTINGS


def _prose(path: Path, text: str) -> Iterator[Passage]:
    match path.suffix:
        case ".py":
            return python_source.prose_of(text, messages=path.parts[0] != TEST_FOLDER)
        case ".md":
            return markup.markdown_prose(text)
        case ".html":
            return markup.html_prose(text)
        case _:
            return hash_comments.prose_of(text)


def _selected(paths: tuple[Path, ...]) -> list[Path]:
    within = [path.resolve() for path in paths] or [ROOT]
    return [
        path
        for path in tracked_files()
        if any((ROOT / path).is_relative_to(folder) for folder in within)
    ]


def _summary(found: list[tuple[Path, Finding]]) -> Iterator[str]:
    folders = Counter("/".join(path.parts[:-1][:2]) or path.name for path, _ in found)
    words = Counter(
        (each.rule, "long sentence" if each.rule == "length" else each.found.lower())
        for _, each in found
    )
    yield from (f"{count:5} {folder}" for folder, count in sorted(folders.items()))
    yield from (f"{count:5} {word} ({rule})" for (rule, word), count in words.most_common())


if __name__ == "__main__":
    main(prog_name="python -m tools.plain_english")
