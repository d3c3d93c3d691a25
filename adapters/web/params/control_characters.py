"""The characters that one line of text does not have."""

from typing import Final

CONTROL: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
"""Those of Unicode's category Cc, and its two separators of lines, as a part of a regex class."""
