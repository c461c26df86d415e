"""Check a built site: links lead to pages that exist, and nothing is loaded from other sites.

python docs/check.py docs/_build/html
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "link": "href", "script": "src", "source": "srcset", "iframe": "src"}


class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it that can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif found.get(LOADED.get(tag)):
            self.loads.append(found[LOADED[tag]])


def wrong(site):
    pages = {
        path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts
    }
    for path, page in pages.items():
        for target in page.links + page.loads:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                if target in page.loads and url.scheme != "data":
                    yield path, f"loads {target}"
                continue
            to = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not to.is_file():
                yield path, f"{target}: no such file"
            elif url.fragment and to in pages and unquote(url.fragment) not in pages[to].anchors:
                yield path, f"{target}: no such anchor"
    if not pages:
        yield site, "has no pages"


site = Path(sys.argv[1]).resolve()
found = [f"{path.relative_to(site)}: {what}" for path, what in wrong(site)]
print("\n".join(found) or "all links are right")
sys.exit(bool(found))
