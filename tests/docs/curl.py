"""The requests that curl sends, so that a page's commands can be tried where no curl is installed."""

import shlex
from collections.abc import Mapping
from string import Template

import httpx


def request_of(command: str, variables: Mapping[str, str]) -> httpx.Request:
    """Return the request of one `curl` command.

    Args:
        command: as the page shows it.
        variables: of the reader's shell. Raises KeyError for one that is not set.

    """
    text = Template(command.replace("\\\n", " ")).substitute(variables)
    words = iter(shlex.split(text)[1:])
    url, method, in_query = "", None, False
    headers: list[tuple[str, str]] = []
    data: list[str] = []
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-G":
                in_query = True
            case "-H":
                name, _, value = next(words).partition(":")
                headers.append((name, value.strip()))
            case "-d" | "--data-urlencode":
                data.append(next(words))
            case _ if word.startswith("-"):
                raise ValueError(f"this reader does not know curl's {word}")
            case _:
                url = word
    if in_query:
        query = [tuple(each.split("=", 1)) for each in data]
        return httpx.Request("GET", httpx.URL(url, params=query), headers=headers)
    content = "&".join(data) if data else None
    return httpx.Request(
        method or ("POST" if data else "GET"), url, headers=headers, content=content
    )
