"""After a build: every link of every page leads somewhere, and nothing is loaded from outside.

Addresses outside are not visited: a build needs no network.
"""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sphinx.errors import ExtensionError

LOADED = {"script", "img", "iframe", "source", "video", "audio", "embed"}


class Page(HTMLParser):
    """Anchors that a page has and addresses that it names; loaded : those a browser fetches by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        found = {name: value for name, value in attrs if value}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        for name in ("href", "src"):
            if name in found:
                own = tag in LOADED or (tag == "link" and "stylesheet" in found.get("rel", ""))
                (self.loaded if own else self.links).add(found[name])


def broken(folder: Path) -> list[str]:
    """Links of the pages below a folder that lead nowhere, and what they load from outside, each as a sentence."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        here = path.relative_to(folder.resolve())
        for link in sorted(page.links | page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{here}: loads {link} from outside")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{here}: {link} is not there")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{here}: {link} has no such place")
    return found


def check(app: Any, failed: Exception | None) -> None:
    """Fail the build if a link does."""
    if failed is None and app.builder.format == "html" and (found := broken(Path(app.outdir))):
        raise ExtensionError("\n".join(found))


def setup(app: Any) -> dict[str, bool]:
    """Look once all pages are written."""
    app.connect("build-finished", check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
