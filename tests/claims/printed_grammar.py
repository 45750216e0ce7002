"""Cells made from a grammar of this module's own, with the numbers they hold: what the reader has
to give back.

Nothing of the reader is used: a number is drawn as a decimal, its interval is computed here, then
it is spelt.
"""

import random
from dataclasses import dataclass
from decimal import Decimal

UP = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Expected:
    """A number as the reader should give it: value and the ends of its interval; None: open."""

    value: Decimal
    low: Decimal | None
    high: Decimal | None


class Cells:
    """Random cells, as (text, the numbers in it)."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.comma = False

    def digits(self, decimals: int | None = None, largest: int = 5) -> tuple[str, Decimal, Decimal]:
        """(the digits as spelt, value, weight of the last digit; 0: a whole number)."""
        rng = self.rng
        places = rng.choice((0, 1, 1, 2, 2, 3, 4)) if decimals is None else decimals
        whole = str(rng.randint(0, 10 ** rng.randint(1, largest) - 1))
        rest = "".join(rng.choice("0123456789") for _ in range(places))
        value = Decimal(f"{whole}.{rest}" if rest else whole)
        unit = Decimal(1).scaleb(-places) if places else Decimal(0)
        spelt = whole
        if len(whole) > 3 and rng.random() < 0.4:
            grouped = f"{int(whole):,}"
            spelt = (
                grouped
                if places == 0 and rng.random() < 0.5
                else grouped.replace(",", rng.choice(("\u2009", "'", "\u202f")))
            )
            if places and rng.random() < 0.5:
                spelt = grouped
        if rest:
            mark = (
                rng.choice((".", ".", ".", "·"))
                if "," in spelt or places == 3
                else rng.choice((".", ".", ".", "·", ","))
            )
            if mark == "," and places == 3 and whole != "0":
                mark = "."
            spelt = (
                (spelt if whole != "0" or mark == "," or rng.random() < 0.6 else "") + mark + rest
            )
        return spelt, value, unit

    def signed(self, spelt: str, value: Decimal) -> tuple[str, Decimal]:
        sign = self.rng.choice(("", "", "", "+", "-", "−", "–", "－", "$-$", "‑"))
        return sign + spelt, -value if sign not in ("", "+") else value

    def number(self, unit: str = "", sign: bool = True) -> tuple[str, Expected]:
        """One number, perhaps with a power of ten."""
        rng = self.rng
        spelt, value, last = self.digits()
        if not unit and rng.random() < 0.25:
            spelt, value, last = self.digits(rng.choice((0, 1, 2)), largest=1)
            power = rng.randint(-12, 9)
            spelt += rng.choice(
                (f"e{power}", f"E{power}".replace("-", "−"), f" × 10{str(power).translate(UP)}", rf" \times 10^{{{power}}}",
                 f"×10^{power}", f" x 10^{power}", rf" \cdot 10^{{{power}}}", f" · 10{str(power).translate(UP)}")
            )  # fmt: skip
            if power < 0 and rng.random() < 0.2:
                spelt = (
                    spelt.split("×")[0]
                    .split("\\")[0]
                    .split("e")[0]
                    .split("E")[0]
                    .split("x")[0]
                    .split("·")[0]
                    .strip()
                )
                spelt, value, last = self.digits(2, largest=1)
                spelt += f" × 10−{-power}"
            value, last = value.scaleb(power), last.scaleb(power)
        if sign:
            spelt, value = self.signed(spelt, value)
        half = last / 2
        return spelt, Expected(value, value - half, value + half)

    def percent(self) -> tuple[str, Expected]:
        spelt, value, last = self.digits(largest=2)
        spelt, value = self.signed(spelt, value)
        half = (last or Decimal(1)) / 2
        return spelt + self.rng.choice(("%", " %", r"\%", " percent", " per cent", "％")), Expected(
            value, value - half, value + half
        )

    def scaled(self) -> tuple[str, Expected]:
        spelt, value, last = self.digits(1, largest=3)
        thousand = Decimal(1000)
        half = last / 2 * thousand
        value *= thousand
        return spelt + self.rng.choice(("k", "K", " k", " thousand")), Expected(
            value, value - half, value + half
        )

    def plus_minus(self) -> tuple[str, list[Expected]]:
        places = self.rng.choice((0, 1, 2, 3))
        found, spelt = [], []
        for _ in range(2):
            text, value, last = self.digits(places, largest=2)
            half = (last or Decimal(1)) / 2
            found.append(Expected(value, value - half, value + half))
            spelt.append(text)
        a, b = spelt
        forms = [f"{a} ± {b}", f"{a}±{b}", f"{a} +/- {b}", f"{a}% ± {b}%", f"({a} ± {b})%", rf"${a} \pm {b}$",
                 f"${a}_{{\\pm {b}}}$", f"{a} (± {b})", f"**{a}** ± {b}", f"{a} ± {b} (SD)", f"{a} &plusmn; {b}"]  # fmt: skip
        if places:
            forms += [f"({a} ± {b}) × 10⁻³", f"({a} ± {b}) x 10^-3"]
        text = self.rng.choice(forms)
        if "10" in text and ("× 10" in text or "x 10" in text):
            found = [
                Expected(
                    *(
                        end.scaleb(-3) if end is not None else None
                        for end in (e.value, e.low, e.high)
                    )
                )
                for e in found
            ]
        return text, found

    def several(self) -> tuple[str, list[Expected]]:
        """Numbers side by side, in brackets, as ends."""
        first, second = sorted((self.digits(2, 2) for _ in range(2)), key=lambda found: found[1])
        third = self.digits(1, 2)
        one, two, three = (
            Expected(v, v - last / 2, v + last / 2) for _, v, last in (first, second, third)
        )
        a, b, c = first[0], second[0], third[0]
        return self.rng.choice(
            (
                (f"{a}–{b}", [one, two]), (f"{a} to {b}", [one, two]), (f"[{a}; {b}]", [one, two]),
                (f"{a}/{b}/{c}", [one, two, three]), (f"{c} ({a}–{b})", [three, one, two]), (f"{c} ({a})", [three, one]),
                (f"{c} [95% CI {a}–{b}]", [three, one, two]), (f"95% CI [{a}; {b}]", [one, two]),
                (f"{c} (IQR {a}–{b})", [three, one, two]), (f"{c} (SD {a})", [three, one]),
            )
        )  # fmt: skip

    def bound(self) -> tuple[str, list[Expected]]:
        spelt, expected = self.number(sign=False)
        words = {"< ": True, "less than ": True, "≤": True, "at most ": True, r"\leq ": True}
        words |= {"> ": False, "at least ": False, "≥ ": False}
        word, below = self.rng.choice(list(words.items()))
        open_below = Expected(expected.value, None, expected.value)
        return word + spelt, [
            open_below if below else Expected(expected.value, expected.value, None)
        ]

    def cell(self) -> tuple[str, list[Expected]]:
        """One cell of any form, behind mark-up or in front of words."""
        rng = self.rng
        kind = rng.choice(
            ("number", "number", "percent", "scaled", "plus_minus", "several", "bound")
        )
        made = getattr(self, kind)()
        text, found = made if isinstance(made[1], list) else (made[0], [made[1]])
        if kind in ("number", "percent") and rng.random() < 0.4:
            text = rng.choice(
                (
                    "**{}**",
                    "${}$",
                    r"\textbf{{{}}}",
                    "{}*",
                    "{}***",
                    "{}†",
                    "<b>{}</b>",
                    "{} seeds",
                    "{}^*",
                )
            ).format(text)
        return text, found

    def intruder(self) -> tuple[str, Decimal]:
        """A second number, as something nobody declares: it has to be found again, or the whole
        refused.
        """
        value = Decimal(self.rng.randint(11111, 99999)).scaleb(-self.rng.choice((0, 1, 2, 3)))
        forms = (
            " {}", "/{}", " ({})", " and {}", ", {}", " or {}", " × {}", " = {}", ":{}", " [{}]", "→{}", "^{}",
            " at {}", "_{}", " ± {}", "%{}",
        )  # fmt: skip
        return self.rng.choice(forms).format(value), value
