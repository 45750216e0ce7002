"""Take typography off: LaTeX, Markdown, HTML marks, kinds of minus, thin spaces, footnote signs.

What a mark means is kept in plain characters: a subscript `_{\\pm 1.0}` becomes "± 1.0", a
superscript power `^{-5}`, a subscript or an asymmetric error a pair of brackets. What only
decorates (bold, daggers, stars) goes.
"""

import html
import re
from functools import lru_cache

_COMMANDS = {
    "pm": "±", "times": "×", "cdot": "×", "sim": "~", "approx": "≈", "simeq": "≈", "leq": "≤", "le": "≤", "geq": "≥",
    "ge": "≥", "lt": "<", "gt": ">", "ll": "<", "gg": ">", "lesssim": "≤", "gtrsim": "≥", "to": "→", "rightarrow": "→",
    "ldots": "…", "dots": "…", "quad": " ", "qquad": " ", "textendash": "–", "textminus": "-", "textpm": "±",
    "texttimes": "×", "dagger": "", "ddagger": "", "ast": "", "star": "", "circ": "°", "left": "", "right": "",
    "bf": "", "bfseries": "", "it": "", "em": "", "tt": "", "rm": "", "small": "", "scriptsize": "", "footnotesize": "",
    "tiny": "", "uparrow": "↑", "downarrow": "↓",
    "sigma": "σ", "percent": "%", "mu": "μ", "big": "", "Big": "", "displaystyle": "", "phantom": "", "hfill": " ",
}  # fmt: skip
"""LaTeX commands without an argument, as characters; one that is not listed is refused where it is
read.
"""
_WRAPPERS = (
    "text|textbf|textit|textsc|textrm|texttt|textsf|emph|underline|uline|mathbf|mathrm|mathit|mathsf|boldsymbol|bm|"
    "mbox|hbox|num|best|second|ensuremath|operatorname|textsuperscript"
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_FULL_WIDTH = {ord("０") + digit: str(digit) for digit in range(10)}
_PLAIN = str.maketrans(
    dict.fromkeys("−‐‑‒﹣－﹘⁃", "-")
    | dict.fromkeys("＋﹢", "+")
    | dict.fromkeys("\u00a0\u2007\u2008\u2009\u200a\u202f\u2002\u2003\u2005\u3000", " ")
    | dict.fromkeys("′‘’ʼ", "'")
    | {"％": "%", "﹪": "%", "∼": "~", "～": "~", "≅": "≈", "⩽": "≤", "⩾": "≥", "≦": "≤", "≧": "≥", "⁄": "/", "∕": "/",
       "✕": "×", "✖": "×", "⨯": "×", "∙": "·", "⋅": "·", "‧": "·", "•": "·", "．": ".", "，": ",", "（": "(", "）": ")",
       "▲": "↑", "▼": "↓", "⟶": "→", "➔": "→", "➝": "→", "⇒": "→", "—": "–", "―": "–", "﹤": "<", "＜": "<", "＞": ">",
       "＝": "=", "≪": "<", "≫": ">", "≲": "≤", "≳": "≥", "⋯": "…"}
    | _FULL_WIDTH
)  # fmt: skip
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8), "⅒": (1, 10),
}  # fmt: skip
_DRESSED = re.compile(
    r"[^\w\s.,:;()%/=<>~≈\[\]'\"–·±×-]|[^\x00-\x7f–·±×≈]|_|\+/|<[a-z/]|&[a-z#]|\bplus or "
    r"minus\b|\d~\d|\]\(|[\u00aa-\u00bf]"
)
_MARKS = r"[*†‡§¶★☆✱∗]"


@lru_cache(maxsize=8192)
def clean(printed: str) -> str:
    """Return the same numbers and words in plain characters; fractions become \\frac(1|3).

    Marks that stand between digits are no decoration: a sign that nothing reads takes their place.
    """
    if not _DRESSED.search(printed):
        return " ".join(printed.split())
    # a link's words
    text = re.sub(r"\[([^\[\]]*)\]\((?:https?://|[#/.])[^()\s]*\)", r"\1", html.unescape(printed))
    text = re.sub(r"</?(?:b|i|u|em|strong|span|sub|mark|s)\b[^<>]*>", "\0", text)
    text = re.sub(r"<sup>\s*([^<>\d]*)\s*</sup>", "", text)
    text = re.sub(r"<sup>([^<>]*)</sup>", r"^{\1}", text)
    text = re.sub(r"(?<=\d)[\u00a0\u2007\u2009\u200a\u202f](?=\d{3}(?!\d))", "'", text)
    text = _latex(re.sub("[`\u200b\u200c\u200d\u2060\ufeff\u00ad]", "\0", text))
    text = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+", lambda found: f"^{{{found[0].translate(_SUPERSCRIPTS)}}}", text
    )
    text = text.translate(_PLAIN)
    for sign, (over, under) in _VULGAR.items():
        text = text.replace(sign, f"\\frac({over}|{under})")
    text = re.sub(r"(?<=\d)\0+(?=\d)", " \ufffd ", text).replace("\0", "")
    text = _scripts(text)
    text = re.sub(r"\+\s?/\s?-|\+-|\(\s*\+/-\s*\)", "±", text)
    text = re.sub(r"\bplus or minus\b", "±", text)
    text = _marks(text)
    return re.sub(r"\s+", " ", text).strip()


def _latex(text: str) -> str:
    """Replace commands by characters, wrappers by their content, escaped signs by themselves."""
    if "\\" in text:
        text = re.sub(r"\\(?:[dt]?frac)\s*\{?(\d+)\}?\s*\{?(\d+)\}?", r"\\frac(\1|\2)", text)
        text = re.sub(r"\\(?:textcolor|color|cellcolor)(?:\[[^\]]*\])?\{[^{}]*\}", "", text)
        before = ""
        while before != text:
            before, text = (
                text,
                re.sub(rf"\\(?:{_WRAPPERS})\s*\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}", r"\1", text),
            )
        text = re.sub(r"(?<=\d)\\[,;:!](?=\d{3}(?!\d))", "'", text)
        text = re.sub(r"\\[,;:! ]|\\\\", " ", text)
        text = re.sub(r"\\([%#&_$])", r"\1", text)
        text = re.sub(r"\\[()\[\]]", "", text)
        text = re.sub(r"\\(?!frac\()([A-Za-z]+)", _command, text)
        text = re.sub(r"(?<=\d)~(?=\d{3}(?!\d))", "'", text)  # an unbreakable space inside a number
        text = re.sub(r"(?<=\d)~(?=[\d±])", " ", text)
    text = re.sub(r"(?<=\d)\{([.,])\}(?=\d)", r"\1", text)
    return re.sub(r"(?<=\d)[{}](?=\d)", "\0", text.replace("$", "\0"))


def _command(found: re.Match[str]) -> str:
    return _COMMANDS.get(found[1], found[0])


def _scripts(text: str) -> str:
    """Write sub- and superscripts plainly: spreads, asymmetric errors; a power of ten stays."""
    text = re.sub(r"[_^]\{?\s*\(?\s*±\s*([^{}()]*)\)?\s*\}?", r" ± \1 ", text)
    error = r"\^\{?\s*\+\s?([^{}_^]*)\}?\s*_\{?\s*-\s?([^{}_^]*)\}?"
    text = re.sub(error, r" (+\1/-\2) ", text)
    error = r"_\{?\s*-\s?([^{}_^]*)\}?\s*\^\{?\s*\+\s?([^{}_^]*)\}?"
    text = re.sub(error, r" (+\2/-\1) ", text)
    text = re.sub(rf"\^\{{?\s*((?:{_MARKS}|[a-z],?|°|\s)+)\}}?(?![\w.])", "", text)
    text = re.sub(r"[_^]\{\s*\}", "", text)
    text = re.sub(r"(?<=\d)_(?=\d{3}(?![\d.]))", " \ufffd ", text)  # 1_000 is no subscript
    text = re.sub(r"(?<=[\d%)])_\{\s*\(?([^{}()]*)\)?\s*\}", r" (\1) ", text)
    text = re.sub(r"(?<=[\d%)])_\(?([\d.]+)\)?(?![\w.])", r" (\1) ", text)
    return re.sub(r"(?<!\^)\{([^{}]*)\}", r"\1", text)


def _marks(text: str) -> str:
    """Remove stars, daggers and emphasis; a star before a power of ten multiplies."""
    text = re.sub(r"(?<=[\d.)])\s?\*\s?(?=10\s?(?:\^|\*\*|-))", "×", text)
    text = re.sub(r"(?<=10)\*\*(?=\s?[-+{(]?\d)", "^", text)
    text = re.sub(rf"(?<=\d)(?:_|{_MARKS})+(?=[.,]?\d)", " \ufffd ", text)
    text = re.sub(r"(?<!\w)_+(?=\S)|(?<=\S)_+(?!\w)", "", text)
    text = re.sub(r"(?<=[\d%)\]])\s?#+(?=\s|$)", "", text)
    return re.sub(rf"{_MARKS}+|[ᵃ-ᵇᵈᵉ]+", "", text)
