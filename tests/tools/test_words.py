import pytest

from tools.language.prose import Kind, Passage, without_code
from tools.language.rules import findings, house_words, read_words

EXAMPLES = [
    ("The user whom it concerns", "whom"),
    ("Nobody waits", "Nobody"),
    ("The user is told", "told"),
    ("Both are told apart by their id", "told apart"),
    ("Which one, for want\nof a lock", "for want of"),
    ("It is no list", "is no"),
    ("The row locks no more", "no more"),
    ("However long it takes", "However"),
    ("Waits after a while", "after a while"),
    ("A stand-in of Calendly", "stand-in"),
    ("As nobody's row", "nobody"),
    ("The flight of a user", "flight"),
    ("The store is away", "is away"),
]
STANDARD = [
    "A lease that is stale no longer holds a lock.",
    "There is no row. There are no rows.",
    "It takes no more than a second.",
    "However, the caller waits.",
    "A single flight is in flight.",
    "The rest of the rows rest on nothing that stalls.",
    "Everyone may claim rows.",
    "The standalone program restarts; `nobody` is a value.",
]


def found(text: str, longest: int | None = None, kind: Kind = Kind.DOCSTRING) -> list[str]:
    """Return the words that a passage has to replace."""
    passage = Passage(kind, 1, text)
    return [each.found for each in findings(passage, house_words(), longest)]


@pytest.mark.parametrize(("text", "word"), EXAMPLES)
def test_a_listed_word_is_found(text: str, word: str) -> None:
    """A word or phrase of the list is found in any case and over a line break."""
    assert word in found(text)


@pytest.mark.parametrize("text", STANDARD)
def test_a_standard_term_is_accepted(text: str) -> None:
    """Standard terms that resemble a listed word are not findings."""
    assert found(without_code(text)) == []


def test_a_replacement_is_not_itself_replaced() -> None:
    """No suggestion of the list contains a word of the list."""
    circular = [row.use for row in house_words().rows if found(row.use)]

    assert circular == []


def test_a_finding_gives_the_line_the_replacement_and_the_rule() -> None:
    """A finding in the second line of a passage names that line."""
    words = read_words("[archaic]\n'anew' = \"again\"\n")

    (finding,) = findings(Passage(Kind.COMMENT, 7, "It is made\nanew."), words, None)

    assert finding == (8, "anew", "again", "archaic")


@pytest.mark.parametrize("opening", ["What", "Who", "Whatever", "Whichever"])
def test_a_sentence_does_not_begin_with_a_free_relative(opening: str) -> None:
    """A statement that begins with such a word is found, also as a second sentence."""
    assert opening in found(f"It waits. {opening} waits is stored.")


def test_a_question_may_begin_with_what() -> None:
    """A question is not a free relative clause."""
    assert found("What is stored? (Who reads it?)") == []


@pytest.mark.parametrize(
    ("kind", "is_found"),
    [(Kind.DOCSTRING, True), (Kind.DOCUMENT, True), (Kind.COMMENT, False), (Kind.MESSAGE, False)],
)
def test_long_sentences_are_found_in_docs_and_docstrings(kind: Kind, is_found: bool) -> None:
    """The limit counts words of one sentence, and applies to documents and docstrings."""
    text = "One two. " + "Word " * 6 + "end."

    assert found(text, 7, kind) == []
    assert found(text, 6, kind) == (["7 words"] if is_found else [])
