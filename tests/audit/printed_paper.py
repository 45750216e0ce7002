"""Papers that agree with themselves, printed in every way that papers print: hidden runs first,
then tables and sentences.

Every number goes through `Style`, which knows the paper's decimal mark and picks a spelling at
random. `plant(name)` prints one number with an error of more than rounding. Truth and rounding are
this module's own: nothing of the reader is used.
"""

import random
from typing import Any

import numpy as np
import yaml
from scipy.stats import t as student
from statsmodels.stats.proportion import proportions_ztest

Fields = dict[str, Any]
METHODS = ("Base", "Wide", "Deep", "Ours", "Ours-L")
TASKS = ("parsing", "recall", "syntax", "arithmetic", "naming")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
PLUS_MINUS = (" ± ", "±", " +/- ", r" \pm ", " &plusmn; ")
SPREADS = ("sd", "sd of n", "se", "ci", "ci normal", "half range")
DECLARED = {
    "sd": "sd",
    "sd of n": "sd",
    "se": "se",
    "ci": "ci",
    "ci normal": "ci",
    "half range": "range",
}
LABELS = {"sd": ("SD", "s.d.", "std"), "se": ("SE", "SEM", "s.e."), "ci": ("95% CI",)}


def spread_of(kind: str, values: Any) -> float:
    """One of the spreads that a ± may be."""
    n = len(values)
    sample, population = float(np.std(values, ddof=1)), float(np.std(values))
    return {
        "sd": sample,
        "sd of n": population,
        "se": sample / n**0.5,
        "ci": float(student.ppf(0.975, n - 1)) * sample / n**0.5,
        "ci normal": 1.959964 * sample / n**0.5,
        "half range": float(np.ptp(values)) / 2,
    }[kind]


class Style:
    """How one paper writes numbers."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.comma = rng, rng.random() < 0.2
        self.minus = rng.choice(("-", "−", "–"))

    def number(self, value: float, decimals: int) -> str:
        """Digits alone: sign, thousands, decimal mark."""
        text = f"{abs(value):.{decimals}f}"
        whole, _, rest = text.partition(".")
        if len(whole) > 4 and self.rng.random() < 0.5:
            groups = f"{int(whole):,}"
            whole = groups.replace(",", "\u202f" if self.comma or self.rng.random() < 0.3 else ",")
        elif whole == "0" and rest and not self.comma and self.rng.random() < 0.2:
            whole = ""
        digits = whole + (("," if self.comma else ".") + rest if rest else "")
        return (self.minus if value < 0 and float(text) else "") + digits

    def dressed(self, text: str) -> str:
        """The same behind mark-up that says nothing."""
        dresses = (
            "{}",
            "{}",
            "{}",
            "**{}**",
            "${}$",
            r"\textbf{{{}}}",
            "{}*",
            "{}†",
            "<b>{}</b>",
            r"\underline{{{}}}",
        )
        return self.rng.choice(dresses).format(text)

    def power(self, value: float) -> str:
        """A small number with a power of ten."""
        mantissa, exponent = f"{value:.2e}".split("e")
        power, mantissa = str(int(exponent)), mantissa.replace(".", "," if self.comma else ".")
        return self.rng.choice(
            (
                f"{mantissa}e{power}",
                f"{mantissa} × 10{power.translate(SUPERSCRIPT)}",
                rf"${mantissa} \times 10^{{{power}}}$",
                f"{mantissa} x 10^{power}",
                f"{mantissa} × 10{power.replace('-', '−')}",
            )
        )

    def plus_minus(self, centre: str, spread: str, unit: str = "") -> str:
        sign = self.rng.choice(PLUS_MINUS)
        forms = [
            f"{centre}{sign}{spread}{unit}",
            f"{centre}{unit}{sign}{spread}{unit}",
            f"({centre}{sign}{spread}){unit}",
        ]
        if not unit:
            forms.append(rf"${centre}_{{\pm {spread}}}$")
        return self.rng.choice(forms)


class PrintedPaper:
    """One paper. `plan`: the names of numbers that other prints determine."""

    def __init__(self, seed: int, plant: str | None = None) -> None:
        self.rng, self.numbers = random.Random(seed), np.random.default_rng(seed)
        self.style, self.planted = Style(self.rng), plant
        self.plan: list[str] = []
        self.blocks: list[Fields] = []
        self.scale = self.rng.choice((1.0, 100.0))
        self.decimals = self.rng.choice((1, 2)) if self.scale == 100 else self.rng.choice((2, 3))
        self.seeds = self.rng.randint(3, 7)
        self.methods = METHODS[: self.rng.randint(3, 5)]
        self.tasks = TASKS[: self.rng.randint(3, 5)]
        centre = self.numbers.uniform(0.3, 0.85, (len(self.methods), len(self.tasks)))
        noise = self.numbers.normal(0, 0.03, (len(self.methods), len(self.tasks), self.seeds))
        self.runs = self.scale * (centre[..., None] + noise)
        for part in (self.by_seed, self.by_task, self.sentences, self.counts, self.settings):
            part()

    def text(self) -> tuple[str, str]:
        """paper.yaml and claims.yaml."""
        head: Fields = {"id": "paper", "title": "A random paper", "axes": ["task"]}
        if self.style.comma and self.rng.random() < 0.5:
            head["decimal"] = "comma"
        return yaml.safe_dump(head), yaml.safe_dump(
            self.blocks, allow_unicode=True, sort_keys=False, width=10**6
        )

    def value(
        self, name: str, value: float, decimals: int, wide: float = 0.0, room: float = 0.0
    ) -> float:
        """The number as it is to be printed: rounded, or spoilt by more than rounding.

        `wide`: the share of it that words such as "about" allow; `room`: what the prints it follows
        from leave open.
        """
        self.plan.append(name)
        if name != self.planted:
            return round(value, decimals)
        least = max(4 * 10.0**-decimals, 1.5 * wide * abs(value), 1.5 * room)
        by = least * self.rng.uniform(1, 4)
        up = value < 0 or self.rng.random() < 0.5 or value - by <= 0
        return round(value + (by if up else -by), decimals)

    def by_seed(self) -> None:
        """A table of single runs of one method, its last row their mean and a spread: declared,
        said in the cell, or neither.
        """
        kind = self.rng.choice(SPREADS)
        how = self.rng.choice(("declared", "labelled", "bare", "bare", "bracket", "interval"))
        if how == "labelled" and kind not in LABELS:
            how = "bare"
        rows = []
        for seed in range(self.seeds):
            cells = [
                self.style.dressed(self.style.number(v, self.decimals))
                for v in self.runs[0, :, seed]
            ]
            rows.append([str(seed), *cells])
        rows.append(["Mean", *(self.summary(task, kind, how) for task in range(len(self.tasks)))])
        block = {"locator": "Table 1", "quantity": "score", "unverifiable": "made up", "condition": self.methods[0],
                 "keys": {"Seed": "seed"}, "columns": {task: {"task": task} for task in self.tasks},
                 "rows": {"Mean": {"seed": None, "over": "seed"}}, "table": table(["Seed", *self.tasks], rows)}  # fmt: skip
        if how == "declared":
            block["rows"]["Mean"]["spread"] = {"kind": DECLARED[kind]}
        self.blocks.append(block)

    def summary(self, task: int, kind: str, how: str) -> str:
        values, d = self.runs[0, task], self.decimals
        mean = self.value(f"mean {task}", float(values.mean()), d)
        if how == "interval":
            half = spread_of("ci", values)
            low, high = (
                self.style.number(round(float(values.mean()) + s * half, d), d) for s in (-1, 1)
            )
            body = self.rng.choice(
                ("(95% CI {}–{})", "[95% CI: {}; {}]", "(95% CI {} to {})")
            ).format(low, high)
            return f"{self.style.number(mean, d)} {body}"
        width = spread_of(kind, values)
        name = f"spread {task}" if how != "bracket" else ""
        spread = self.value(name, width, d, 0.3) if name else round(width, d)
        centre, beside = self.style.number(mean, d), self.style.number(spread, d)
        if how == "bracket":
            return f"{centre} ({beside})"
        label = self.rng.choice(LABELS[kind]) if how == "labelled" else ""
        if label and self.rng.random() < 0.5:
            return (
                f"{centre} ({label} {beside})" if kind != "ci" else f"{centre} ± {beside} ({label})"
            )
        return self.style.plus_minus(centre, beside) + (f" ({label})" if label else "")

    def by_task(self) -> None:
        """Methods by tasks, some with ±, some cells empty; averages over all tasks, also those not
        printed.
        """
        unit = self.rng.choice(("", "%")) if self.scale == 100 else ""
        d, rows = self.decimals, []
        self.whole_rows = []
        for i, method in enumerate(self.methods[1:], 1):
            gap = (
                self.rng.randrange(len(self.tasks)) if i > 1 and self.rng.random() < 0.25 else None
            )
            cells = []
            for j in range(len(self.tasks)):
                mean = self.style.number(float(self.runs[i, j].mean()), d)
                spread = self.style.number(spread_of("sd", self.runs[i, j]), d)
                plain = self.style.dressed(mean) + unit
                cell = (
                    self.style.plus_minus(mean, spread, unit) if self.rng.random() < 0.4 else plain
                )
                cells.append("—" if j == gap else cell)
            name = f"average {method}"
            average = float(self.runs[i].mean())
            shown = self.value(name, average, d) if gap is None else round(average, d)
            if gap is None:
                self.whole_rows.append(i)
            rows.append([method, *cells, self.style.number(shown, d) + unit])
        columns: Fields = {task: {"task": task} for task in self.tasks}
        columns["Avg."] = {"statistic": "mean", "over": "task"}
        self.blocks.append(
            {"locator": "Table 2", "quantity": "score", "unverifiable": "made up", "keys": {"Method": "condition"},
             "columns": columns, "table": table(["Method", *self.tasks, "Avg."], rows)}
        )  # fmt: skip

    def sentences(self) -> None:
        """Cells again, and what follows from two of them."""
        d, style = self.decimals, self.style
        claims: list[Fields] = []
        for i in self.whole_rows or []:
            j, k = self.rng.sample(range(len(self.tasks)), 2)
            first, second = float(self.runs[i, j].mean()), float(self.runs[i, k].mean())
            cell = {"condition": self.methods[i], "task": self.tasks[j]}
            two = {
                "condition": self.methods[i],
                "of": {"task": self.tasks[j]},
                "against": {"task": self.tasks[k]},
            }
            again = self.value(f"again {i}", first, d)
            claims.append({"printed": style.dressed(style.number(again, d)), **cell})
            gap = self.value(f"gap {i}", first - second, d)
            unit = (
                self.rng.choice((" points", " percentage points", " pp"))
                if self.scale == 100
                else ""
            )
            claims.append(
                {"printed": style.number(gap, d) + unit, "statistic": "difference", **two}
            )
            change, room = (
                100 * (first / second - 1),
                100 * 10.0**-d * (1 + first / second) / second,
            )
            ratio, form = (
                first / second,
                self.rng.choice(("{}×", "{}x", "{} times", "{}-fold", "{} ×")),
            )
            claims.append(
                {
                    "printed": form.format(
                        style.number(self.value(f"ratio {i}", ratio, 2, room=room / 100), 2)
                    ),
                    "statistic": "ratio",
                    **two,
                }
            )
            form = self.rng.choice(("{}%", "{} percent", "{} per cent", r"{}\%", "{} %"))
            printed = form.format(style.number(self.value(f"change {i}", change, 1, room=room), 1))
            claims.append({"printed": printed, "statistic": "relative_change", **two})
            word = self.rng.choice(("about ", "roughly ", "~", "≈ ", "around "))
            near = self.value(f"about {i}", first * self.rng.uniform(0.97, 1.03), d, 0.08)
            claims.append({"printed": word + style.number(near, d), **cell})
            margin = max(4 * 10.0**-d, 0.02 * first)
            held = i % 2 == 0
            bound = self.value(f"bound {i}", first + margin if held else first - margin, d, 0.0)
            if f"bound {i}" == self.planted:  # on the wrong side
                bound = round(first - margin if held else first + margin, d)
            words = (
                self.rng.choice(("below ", "less than ", "< ", "at most "))
                if held
                else self.rng.choice(("above ", "> ", "at least "))
            )
            one = {
                "statistic": "max",
                "over": "task",
                "among": [self.tasks[j]],
                "condition": self.methods[i],
            }
            claims.append({"printed": words + style.number(bound, d), **one})
        if claims:
            self.say("§3", {"quantity": "score"}, claims)

    def counts(self) -> None:
        """Counts of a total with their percentages, a test between two of them, a number of runs in
        words.
        """
        total, style = self.rng.choice((50, 164, 500)), self.style
        solved = [self.rng.randint(total // 4, 3 * total // 4) for _ in self.methods]
        claims: list[Fields] = []
        for method, count in zip(self.methods, solved, strict=True):
            share = style.number(self.value(f"share of {method}", 100 * count / total, 1), 1)
            form = self.rng.choice(
                ("{c}/{t} ({p}%)", "{c} of {t} ({p} %)", "{p}% ({c}/{t})", "{c} out of {t} ({p}%)")
            )
            claims.append({"printed": form.format(c=count, t=total, p=share), "condition": method})
        z, p = proportions_ztest(solved[:2], [total, total])
        two = {"of": {"condition": self.methods[0]}, "against": {"condition": self.methods[1]}}
        shown = self.value("p", float(p), 3)
        claims.append({"printed": f"p = {style.number(shown, 3)}", "statistic": "p_two", **two})
        claims.append(
            {
                "printed": f"z = {style.number(self.value('z', float(z), 2), 2)}",
                "statistic": "z",
                **two,
            }
        )
        self.say("Table 3", {"quantity": "solved", "total": total}, claims)
        self.plan.append("number of runs")  # fewer than are printed; more may have been run
        word = WORDS[self.seeds - (self.planted == "number of runs")]
        counted = {
            "printed": self.rng.choice((word, f"{word} seeds")),
            "statistic": "count",
            "condition": self.methods[0],
            "task": self.tasks[0],
        }
        self.say("§2", {"quantity": "score"}, [counted])

    def settings(self) -> None:
        """A small and a large number, each printed twice in two spellings; a third and a half of
        them.
        """
        style = self.style
        rate = float(f"{self.rng.uniform(1, 9.9):.2f}e-{self.rng.randint(3, 6)}")
        tokens = self.rng.randint(11, 99) * 100
        size = self.rng.randint(101, 899)
        mark = "," if style.comma else "."
        claims: list[Fields] = [
            {"printed": style.power(rate), "quantity": "rate"},
            {"printed": style.power(self.value("rate", rate, 9, 0.1)), "quantity": "rate"},
            {"printed": f"{tokens / 1000:.1f}k".replace(".", mark), "quantity": "tokens"},
            {"printed": str(int(self.value("tokens", tokens, 0, 0.1))), "quantity": "tokens"},
            {"printed": self.rng.choice((f"{size}M", f"{size} million")), "quantity": "parameters"},
            {
                "printed": f"{self.value('parameters', size / 1000, 3, 0.02):.3f}B".replace(
                    ".", mark
                ),
                "quantity": "parameters",
            },
            {
                "printed": self.rng.choice(("one third", "a third", "⅓")),
                "quantity": "share",
                "value": None,
            },
            {"printed": style.number(self.value("third", 0.333, 3, 0.08), 3), "quantity": "share"},
            {"printed": "1e-3 to 1e-1", "quantity": "sweep"},
        ]
        self.say(
            "Appendix A",
            {},
            [{k: v for k, v in claim.items() if v is not None} for claim in claims],
        )

    def say(self, locator: str, shared: Fields, claims: list[Fields]) -> None:
        says = "; and then ".join(claim["printed"] for claim in claims)
        self.blocks.append(
            {
                "locator": locator,
                "unverifiable": "made up",
                **shared,
                "statements": [{"says": says, "claims": claims}],
            }
        )


def table(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join(
        "| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)
    )
