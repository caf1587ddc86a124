"""A document as a Word file, with equations that Word can edit, its contents linked, and a head on every page."""

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import escape

from pbpk.report.document.as_pandoc import SPACE, Node, clean, node, tree
from pbpk.report.document.blocks import Document, Figure
from pbpk.report.document.pandoc import converted, default_file, typeset
from pbpk.report.ink import bare_svg
from pbpk.report.rendering import write_bytes

DOTS = 160  # [dots per inch] of a figure
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first hour a zip file knows
PAGE = {False: 'w:w="12240" w:h="15840"', True: 'w:w="15840" w:h="12240" w:orient="landscape"'}  # Letter, in twips
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS = {"header1.xml": "header", "footer1.xml": "footer"}
STYLES = Path(__file__).with_name("styles.xml")


def write_docx(document: Document, path: Path) -> Path:
    """Write the document as a Word file; the same document gives the same bytes.

    Raises
    ------
    ReportError
        if the extra `report` is not installed
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = folder / "reference.docx"
        write_bytes(_reference(document), model)
        whole = tree(document, _Word(write_pictures(document, folder)))
        style = [["", [], [["custom-style", "Title"]]], [node("Para", _Word({}).text(document.title))]]
        whole["blocks"] = [node("Div", style), *whole["blocks"]]
        made = converted(whole, "docx", (f"--reference-doc={model}", f"--resource-path={folder}"))
    return write_bytes(_repacked(made, {}), path)


class _Word:
    """What the tree needs of Word."""

    def __init__(self, pictures: Mapping[int, str]) -> None:
        self.pictures = pictures  # name of the file of each figure, by its id

    def picture(self, figure: Figure) -> str:
        return self.pictures[id(figure)]

    def sideways(self, turned: bool) -> list[Node]:
        """End the section there is: one on its side ends where the next stands upright."""
        return [node("RawBlock", ["openxml", f"<w:p><w:pPr>{_section(not turned)}</w:pPr></w:p>"])]

    def text(self, words: str) -> list[Node]:
        """Words with the spaces between them, where lines may break."""
        nodes: list[Node] = []
        for i, word in enumerate(clean(words).split(" ")):
            nodes += [SPACE] if i else []
            nodes += [node("Str", word)] if word else []
        return nodes

    def code(self, words: str) -> list[Node]:
        return [node("Code", [["", [], []], clean(words)])]

    def contents(self, document: Document) -> Sequence[Node]:
        """Each section as a link; a field that only Word could fill would stand empty elsewhere."""
        sections = [each for each in document.headings if each.level == 1]
        named = [(self.text(f"{each.number} {each.text}"), [f"#{each.anchor}", ""]) for each in sections]
        links = [node("Para", [node("Link", [["", [], []], words, target])]) for words, target in named]
        return [node("Div", [["", [], [["custom-style", "Contents"]]], links])]

    def listing(self, text: str) -> Node:
        return node("CodeBlock", [["", [], []], text])

    def styled(self, kind: str, paragraph: Node) -> Sequence[Node]:
        return [node("Div", [["", [], [["custom-style", kind.capitalize()]]], [paragraph]])]


def write_pictures(document: Document, folder: Path) -> dict[int, str]:
    """Write every figure as pixels, from the same drawing that the other formats have."""
    figures = [block for block in document.blocks if isinstance(block, Figure)]
    if not figures:
        return {}
    pages = ["#set page(width: auto, height: auto, margin: 2pt, fill: white)"]
    for i, figure in enumerate(figures):
        write_bytes(bare_svg(figure.drawing).encode(), folder / f"{i}.svg")
        pages.append(f'#image("{i}.svg")')
    source = write_bytes("\n#pagebreak()\n".join([pages[0] + "\n" + pages[1], *pages[2:]]).encode(), folder / "all.typ")
    made = typeset(source, "png", ppi=float(DOTS))
    found = {}
    for i, (figure, content) in enumerate(zip(figures, made if isinstance(made, list) else [made], strict=True)):
        found[id(figure)] = write_bytes(content, folder / f"{i}.png").name
    return found


def _section(turned: bool) -> str:
    """Page of a section: Letter, upright or on its side, with head and foot."""
    ends = "".join(f'<w:{kind}Reference w:type="default" r:id="rIdPbpk{kind}"/>' for kind in PARTS.values())
    margin = '<w:pgMar w:top="1440" w:right="1200" w:bottom="1200" w:left="1440" w:header="620" w:footer="560"/>'
    return f'<w:sectPr xmlns:r="{OFFICE}">{ends}<w:pgSz {PAGE[turned]}/>{margin}</w:sectPr>'


def _reference(document: Document) -> bytes:
    """The file that lends its styles, its head and its foot: pandoc's own, changed."""
    given = default_file("reference.docx")
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        kept = {name: archive.read(name).decode() for name in (
            "word/styles.xml", "word/document.xml", "word/_rels/document.xml.rels", "[Content_Types].xml")}  # fmt: skip
    head = f"{escape(clean(document.head))}<w:tab/>Fingerprint {escape(clean(document.fingerprint))}"
    field = '<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    changed = {
        "word/styles.xml": _read_styles(kept["word/styles.xml"]),
        "word/document.xml": _with_section(kept["word/document.xml"]),
        "word/_rels/document.xml.rels": kept["word/_rels/document.xml.rels"].replace(
            "</Relationships>", "".join(_relation(name) for name in PARTS) + "</Relationships>"
        ),
        "[Content_Types].xml": kept["[Content_Types].xml"].replace(
            "</Types>", "".join(_part(name) for name in PARTS) + "</Types>"
        ),
        "word/header1.xml": _end("hdr", f"<w:r>{_runs(head)}</w:r>"),
        "word/footer1.xml": _end("ftr", f"<w:r>{_runs(escape(clean(document.footnote)) + '<w:tab/>')}</w:r>{field}"),
    }
    return _repacked(given, changed)


def _runs(words: str) -> str:
    """Text with its tabs."""
    return "<w:tab/>".join(f'<w:t xml:space="preserve">{part}</w:t>' for part in words.split("<w:tab/>"))


def _end(tag: str, content: str) -> str:
    style = '<w:pPr><w:pStyle w:val="PageEnd"/></w:pPr>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<w:{tag} xmlns:w="{WORD}" xmlns:r="{OFFICE}">'
        f"<w:p>{style}{content}</w:p></w:{tag}>"
    )


def _relation(name: str) -> str:
    kind = PARTS[name]
    return f'<Relationship Type="{OFFICE}/{kind}" Id="rIdPbpk{kind}" Target="{name}"/>'


def _part(name: str) -> str:
    kind = f"application/vnd.openxmlformats-officedocument.wordprocessingml.{PARTS[name]}+xml"
    return f'<Override PartName="/word/{name}" ContentType="{kind}"/>'


def _with_section(text: str) -> str:
    start, end = text.index("<w:sectPr>"), text.index("</w:sectPr>") + len("</w:sectPr>")
    return text[:start] + _section(turned=False) + text[end:]


def _read_styles(text: str) -> str:
    """Pandoc's styles with ours in place of those of the same name."""
    ours = STYLES.read_text(encoding="utf-8")
    for style in ours.split("<w:style ")[1:]:
        name = style.split('w:styleId="')[1].split('"')[0]
        at = text.find(f'w:styleId="{name}"')
        if at >= 0:
            start = text.rindex("<w:style ", 0, at)
            text = text[:start] + text[text.index("</w:style>", at) + len("</w:style>") :]
    return text.replace("</w:styles>", ours[ours.index("<w:style ") :] + "</w:styles>")


def _repacked(given: bytes, changed: dict[str, str]) -> bytes:
    """Archive with files changed or added, at one fixed hour."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in [*old.namelist(), *(name for name in changed if name not in old.namelist())]:
            content = changed[name].encode() if name in changed else old.read(name)
            new.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
