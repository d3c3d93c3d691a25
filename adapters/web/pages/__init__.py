"""Server-rendered pages, with their templates and style sheet."""
