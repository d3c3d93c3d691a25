"""The pages as a reader sees them: blocks of code, words set as code, links, tables."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r'(?:\]\(|(?:src|href)=")([^)"\s]+)')
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """One fenced block: its language, or an empty text, and its content."""

    language: str
    text: str


class Page(NamedTuple):
    """One Markdown file, by its path from the root of the repository."""

    path: Path
    text: str

    @property
    def blocks(self) -> list[Block]:
        """Every fenced block, in order."""
        return [Block(language, text) for language, text in _BLOCK.findall(self.text)]

    @property
    def prose(self) -> str:
        """The page without its blocks."""
        return _BLOCK.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """Every passage of the prose that is formatted as code."""
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Where the prose's links and pictures lead."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The ends that a link to a heading of this page may have."""
        titles = _HEADING.findall(self.prose)
        return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}

    @property
    def rows(self) -> list[list[str]]:
        """The cells of every line of every table, without its backticks."""
        lines = [line for line in self.prose.splitlines() if line.startswith("|")]
        return [
            [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines
        ]


def page(path: str) -> Page:
    """Read one page."""
    return Page(Path(path), (ROOT / path).read_text(encoding="utf-8"))


README = page("README.md")
TUTORIAL = page("docs/tutorial.md")
DEPLOYING = page("docs/deploying.md")
CLI = page("docs/cli.md")
OPERATING = page("docs/operating.md")
ARCHITECTURE = page("docs/architecture.md")
GLOSSARY = page("docs/glossary.md")
CONTRIBUTING = page("CONTRIBUTING.md")
DECISIONS = tuple(
    page(path.relative_to(ROOT).as_posix())
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))
)

# A test carries out the commands of these pages, in this order, on one stack.
EXECUTED = (README, TUTORIAL, DEPLOYING, CLI)

PAGES = (
    README,
    TUTORIAL,
    DEPLOYING,
    CLI,
    OPERATING,
    ARCHITECTURE,
    GLOSSARY,
    CONTRIBUTING,
    page("docs/README.md"),
    page("docs/data.md"),
    page("docs/security.md"),
    page("docs/installing.md"),
    page("docs/releasing.md"),
    page("docs/token-answers.md"),
    page("CHANGELOG.md"),
    page("sandbox/README.md"),
    *DECISIONS,
)
