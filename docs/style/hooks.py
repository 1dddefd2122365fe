"""What mkdocs does beside its plugins: mkdocs.yml, `hooks`."""

import re


def on_page_content(html: str, **_kwargs: object) -> str:
    """Takes the roles of docstrings (:class:, :func:) away before names."""
    return re.sub(r':(class|func|meth|mod): ?(?=<code>)', '', html)
