"""Make the fonts of this folder from Debian's `fonts-noto-cjk`; run again only when the character set changes.

    python data/fonts/build.py [folder of NotoSansCJK-*.ttc]

Regular for print covers every unified ideograph of the basic block, so that rare place names print; bold (headings) and
the web font carry GB 2312 and the general standard table only, to stay small. Contours are not changed.
"""

import hashlib
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = Path(__file__).parent
SOURCE = "/usr/share/fonts/opentype/noto"
FACE = "Noto Sans CJK SC"
SIGNS = ((0x20, 0x180), (0x370, 0x400), (0x2010, 0x2060), (0x2070, 0x20C0), (0x2100, 0x2300), (0x2460, 0x2500),
         (0x25A0, 0x2670), (0x3000, 0x3020), (0x33A0, 0x33D6), (0xFF00, 0xFF66), (0xFFE0, 0xFFE7))  # fmt: skip


def standard_characters() -> set[int]:
    """GB 2312, the 8,105 characters of the general standard table, and the signs a map or report needs."""
    found = {code for first, last in SIGNS for code in range(first, last)}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    beyond = (HERE / "standard_beyond_gb2312.txt").read_text("utf-8")
    return found | {ord(character) for character in beyond if character != "\n"}


def make(source: Path, name: str, family: str, characters: set[int], *, web: bool = False) -> None:
    """Write the subset of `source` as `name`, renamed: a changed font does not carry the name of the original."""
    options = subset.Options()
    with TTCollection(source, lazy=True) as collection:
        faces = [font["name"].getDebugName(4) for font in collection.fonts]
    wanted = FACE if FACE in faces else f"{FACE} Bold"
    options.font_number = faces.index(wanted)
    options.flavor = "woff2" if web else None
    options.layout_features = ["kern", "ccmp"]
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.drop_tables += ["vhea", "vmtx", "VORG"]
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    postscript = family.replace(" ", "")
    for record in font["name"].names:
        renamed = {1: family, 2: "Regular", 3: f"wangge;{postscript}", 4: family, 6: postscript}
        if record.nameID in renamed:
            record.string = renamed[record.nameID]
    font["CFF "].cff.fontNames = [postscript]
    # One weight per family: matplotlib then falls back from heading to text font glyph by glyph.
    font["OS/2"].usWeightClass = 400
    font["OS/2"].fsSelection = 0x40
    font["head"].macStyle = 0
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    subset.save_font(font, str(HERE / name), options)
    body = (HERE / name).read_bytes()
    sys.stdout.write(
        f"{name}  {len(font.getBestCmap())} characters  {len(body)} bytes  {hashlib.sha256(body).hexdigest()}\n"
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else SOURCE)
    standard = standard_characters()
    regular, bold = folder / "NotoSansCJK-Regular.ttc", folder / "NotoSansCJK-Bold.ttc"
    make(regular, "WanggeSansSC.otf", "Wangge Sans SC", standard | set(range(0x4E00, 0xA000)))
    make(bold, "WanggeSansSC-Heading.otf", "Wangge Sans SC Heading", standard)
    make(regular, "WanggeSansSC.woff2", "Wangge Sans SC", standard, web=True)


if __name__ == "__main__":
    main()
