"""Random papers that agree with themselves: hidden truth first, then every kind of statement about
it, rounded as printed.

Each claim carries its name in `note`, so that a test can spoil one and see who notices.
"""

import math
import random
from collections.abc import Collection
from typing import Any

import numpy as np
from scipy.stats import norm, spearmanr
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

Fields = dict[str, Any]
SMALL, MIDDLE, LARGE = "alpha-1b", "beta-2b", "gamma-4b"
MODELS = (SMALL, MIDDLE, LARGE)
STEP = 500
STEPS = tuple(range(STEP, 4001, STEP))
LAST = STEPS[-1]
EI = "entanglement_intensity"
CONDITIONS = ("B0", "B1", "B2", "B3", "B4")
PROBLEMS = 164
DESIGNS = ((2, 4, 5), (3, 4, 4), (3, 4, 5), (3, 4, 6))
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")


def fixed(value: float, decimals: int = 3) -> str:
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


class RandomPaper:
    """The truth of one paper, and its claims as fields of the YAML format."""

    def __init__(self, seed: int, wanted: Collection[str] | None = None) -> None:
        """Make the claims of these parts; None: of all."""
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.ddof = self.random.choice((0, 1))
        self.fields: list[Fields] = []
        self.edges: dict[str, float] = {}
        """The largest (or least) value that a claim could have, where its limit is checked."""
        self.possible: dict[str, tuple[list[float], int]] = {}
        """Values that a claim could have, where not every number can occur, and the decimals an
        error is printed with.
        """
        self.seeds = {
            SMALL: self.random.randint(3, 5),
            MIDDLE: self.random.randint(3, 5),
            LARGE: self.random.randint(6, 8),
        }
        self.before = {
            model: self.random.uniform(0.9, 1.3) - 0.2 * i for i, model in enumerate(MODELS)
        }
        self.after = {
            SMALL: self.numbers.normal(0.62, 0.02, self.seeds[SMALL]),
            MIDDLE: self.numbers.normal(0.25, 0.02, self.seeds[MIDDLE]),
            LARGE: np.zeros(self.seeds[LARGE]),
        }
        for part in (
            self.runs,
            self.means,
            self.statements,
            self.trajectories,
            self.design,
            self.problems,
            self.sweep,
            self.pairs,
        ):
            if wanted is None or part.__name__ in wanted:
                part()

    def say(self, name: str, printed: str, **fields: Any) -> None:
        self.fields.append(
            {"printed": printed, "note": name, "measured_by": "smoke", "says": printed, **fields}
        )

    def spread(self, values: Any) -> float:
        return float(np.std(values, ddof=self.ddof))

    def runs(self) -> None:
        """Make a table of single runs."""
        self.purity = {
            model: self.numbers.uniform(0.60, 0.66, self.seeds[model]) for model in MODELS
        }
        for model in MODELS:
            for seed in range(self.seeds[model]):
                cell = {"model": model, "seed": seed, "condition": "B3"}
                self.say(
                    f"before {model} {seed}", fixed(self.before[model]), quantity=EI, step=0, **cell
                )
                self.say(
                    f"after {model} {seed}",
                    fixed(self.after[model][seed]),
                    quantity=EI,
                    step=LAST,
                    **cell,
                )
                self.say(
                    f"purity {model} {seed}",
                    fixed(self.purity[model][seed], 4),
                    quantity="v_purity",
                    step=LAST,
                    **cell,
                )

    def means(self) -> None:
        for model in MODELS:
            values, purity, n = self.after[model], self.purity[model], self.seeds[model]
            scope = {"model": model, "condition": "B3"}
            ei = {"quantity": EI, "step": LAST, **scope}
            vp = {"quantity": "v_purity", "step": LAST, **scope}
            centre, before = float(values.mean()), self.before[model]
            self.say(f"mean after {model}", fixed(centre), statistic="mean", **ei)
            self.say(f"sd after {model}", fixed(self.spread(values)), statistic="sd", **ei)
            self.edges[f"sd after {model}"] = float(np.ptp(values)) / 2 * math.sqrt(n / (n - 1))
            self.say(f"again after {model}", f"~{fixed(centre, 2)}", statistic="mean", **ei)
            self.say(f"twice after {model}", fixed(centre, 2), statistic="mean", **ei)
            self.say(f"unnamed after {model}", fixed(centre), **ei)
            self.say(f"base mean {model}", fixed(before), statistic="mean", **{**ei, "step": 0})
            self.say(
                f"range {model}", f"{fixed(float(values.min()))}–{fixed(float(values.max()))}", **ei
            )
            self.say(f"purity mean {model}", fixed(float(purity.mean()), 4), statistic="mean", **vp)
            self.say(f"purity sd {model}", fixed(self.spread(purity), 4), statistic="sd", **vp)
            for name, share in (("q25", 25), ("median", 50), ("q75", 75)):
                self.say(
                    f"purity {name} {model}",
                    fixed(float(np.percentile(purity, share)), 4),
                    statistic=name,
                    **vp,
                )
            self.say(f"count {model}", WORDS[n], statistic="count", **ei)
            levels = {
                "quantity": EI,
                "statistic": "levels",
                "over": "seed",
                "value": list(range(n)),
                **scope,
            }
            self.say(f"listed {model}", ", ".join(map(str, range(n))), **levels)
            two = {"of": "mean", "against": {"step": 0}, **ei}
            self.say(
                f"change {model}",
                f"{100 * (centre / before - 1):+.0f}%",
                statistic="relative_change",
                **two,
            )
            self.say(
                f"fall {model}", fixed(before - centre), statistic="difference", sign=-1, **two
            )

    def statements(self) -> None:
        cell = {"quantity": EI, "condition": "B3", "step": LAST}
        along = {"over": "model", "among": list(MODELS)}
        for number, of in enumerate(("mean", "max", "min")):
            self.say(
                f"monotone {number}",
                "monotonically",
                statistic="monotone",
                order="decreasing",
                of=of,
                **along,
                **cell,
            )
        self.say("lowest", "lowest", statistic="lowest", of="mean", which=LARGE, **along, **cell)
        self.say("highest", "highest", statistic="highest", of="mean", which=SMALL, **along, **cell)
        self.say(
            "second",
            "second",
            statistic="position",
            order="increasing",
            of="mean",
            which=MIDDLE,
            **along,
            **cell,
        )
        self.say(
            "only",
            "only",
            statistic="only",
            of="mean",
            where={"equals": 0},
            which=LARGE,
            **along,
            **cell,
        )
        self.say("all zero", "all", statistic="all", where={"equals": 0}, model=LARGE, **cell)
        self.say("none zero", "none", statistic="none", where={"equals": 0}, model=SMALL, **cell)
        values, n = sorted(map(float, self.after[SMALL])), self.seeds[SMALL]
        gaps = [(values[i + 1] - values[i], i) for i in range(n - 1)]
        wide, k = max(gaps)
        where = {"below": round((values[k] + values[k + 1]) / 2, 4)}
        if wide > 0.004:
            said = f"{WORDS[k + 1]} of {WORDS[n]}"
            self.say("some", said, statistic="count_where", where=where, model=SMALL, **cell)
            self.say(
                "share",
                f"{100 * (k + 1) / n:.1f}%",
                statistic="share",
                where=where,
                model=SMALL,
                **cell,
            )
        for model, other in ((SMALL, MIDDLE), (MIDDLE, LARGE), (SMALL, LARGE)):
            operands = {"of": {"statistic": "mean", "model": model}, "against": {"model": other}}
            self.say(f"above {model} {other}", "above", statistic="above", **operands, **cell)
            self.say(
                f"significant {model} {other}",
                "significant",
                statistic="significant",
                **operands,
                **cell,
            )

    def trajectories(self) -> None:
        """Make trajectories: the large model collapses, two of its runs are printed whole, one
        recovers once.
        """
        n = self.seeds[LARGE]
        collapse = [self.random.choice(STEPS[3:7]) for _ in range(n)]
        paths = self.numbers.uniform(0.1, 0.6, (n, len(STEPS)))
        for seed in range(n):
            paths[seed, [i for i, step in enumerate(STEPS) if step >= collapse[seed]]] = 0.0
        paths[0, STEPS.index(collapse[0]) - 2] = 0.0
        cell: Fields = {"quantity": EI, "model": LARGE, "condition": "B3"}
        for seed in (0, 1):
            for i, step in enumerate(STEPS[:-1]):
                self.say(
                    f"path {seed} {step}",
                    fixed(float(paths[seed, i])),
                    seed=seed,
                    step=step,
                    **cell,
                )
            self.say(
                f"recovery {seed}",
                "recovers",
                statistic="recovery",
                seed=seed,
                value=seed == 0,
                **cell,
            )
            self.say(
                f"collapse of path {seed}",
                str(collapse[seed]),
                statistic="collapse_step",
                seed=seed,
                **cell,
            )
        for i, step in enumerate(STEPS[:-1]):
            self.say(
                f"path mean {step}",
                fixed(float(paths[:, i].mean())),
                statistic="mean",
                step=step,
                **cell,
            )
            # the other runs, known only by the mean: one of them may have it all
            rest = paths[2:, i].sum()
            known = np.array([*paths[:2, i], rest, *np.zeros(n - 3)])
            self.edges[f"path sd {step}"] = float(np.std(known, ddof=1)) + 0.002
            self.say(
                f"path sd {step}",
                fixed(self.spread(paths[:, i])),
                statistic="sd",
                step=step,
                **cell,
            )
        own = {"quantity": "collapse_step", "model": LARGE, "condition": "B3"}
        for seed in range(n):
            self.say(f"collapse {seed}", str(collapse[seed]), seed=seed, **own)
        for name, share in (("q25", 25), ("median", 50), ("q75", 75)):
            self.say(
                f"collapse {name}",
                fixed(float(np.percentile(collapse, share)), 1),
                statistic=name,
                **own,
            )
        iqr = float(np.subtract(*np.percentile(collapse, [75, 25])))
        self.say("collapse iqr", fixed(iqr, 1), statistic="iqr", **own)
        self.say("collapse mean", fixed(float(np.mean(collapse)), 1), statistic="mean", **own)
        self.say("collapse range", f"{min(collapse)}–{max(collapse)}", **own)

    def design(self) -> None:
        cards = self.random.choice(DESIGNS)
        self.probes = math.prod(cards)
        rank = sum(card - 1 for card in cards)
        bound = (rank - max(cards) + 1) / (max(cards) - 1)
        listed = ", ".join(map(str, cards))
        self.say(
            "cardinalities",
            listed,
            quantity="cardinalities",
            statistic="levels",
            over="concept",
            value=list(cards),
        )
        named = {
            "quantity": "cardinalities",
            "statistic": "levels",
            "over": "concept",
            "probe_set": "factorial",
        }
        self.say("named cardinalities", listed, value=list(cards), **named)
        product = " * ".join(map(str, cards))
        self.say(
            "probes", str(self.probes), quantity="probes", statistic="formula", formula=product
        )
        self.say("nominal rank", str(rank), quantity="nominal_rank", statistic="rank_bound")
        self.say("theory bound", fixed(bound, 2), quantity="theory_bound", statistic="theory_bound")
        self.edges["rank"] = rank
        self.say(
            "rank", str(rank - self.random.randint(0, 2)), quantity="rank", model=SMALL, step=0
        )
        for model in MODELS:
            for seed in range(self.seeds[model]):
                right = self.random.randint(self.probes * 3 // 4, self.probes)
                cell = {
                    "model": model,
                    "seed": seed,
                    "condition": "B3",
                    "step": LAST,
                    "concept": "domain",
                }
                self.say(
                    f"accuracy {model} {seed}",
                    fixed(right / self.probes),
                    quantity="accuracy",
                    **cell,
                )
                self.possible[f"accuracy {model} {seed}"] = (
                    [k / self.probes for k in range(self.probes + 1)],
                    4,
                )

    def problems(self) -> None:
        """Make coding problems solved, out of 164, what follows, and energies of the adapters."""
        counts = dict(
            zip(CONDITIONS, self.random.sample(range(40, 125), len(CONDITIONS)), strict=True)
        )
        energy = dict(
            zip(CONDITIONS, np.exp(self.numbers.uniform(-5, 1, len(CONDITIONS))), strict=True)
        )
        method = self.random.choice(("wald", "newcomb", "agresti-caffo"))
        for condition in CONDITIONS:
            cell = {"condition": condition, "step": LAST, "model": LARGE}
            self.solved(condition, counts[condition], cell)
            self.say(
                f"energy {condition}", f"{energy[condition]:.4f}", **cell, quantity="adapter_energy"
            )
            if condition != "B0":
                self.against_base(condition, counts[condition], counts["B0"], method, cell)
        self.energies(counts, energy)

    def solved(self, condition: str, count: int, cell: Fields) -> None:
        """Make a count and its percentage; the easier problems as a percentage only."""
        easy, share = (
            self.random.randint(50, 130),
            {"statistic": "percentage", "total": PROBLEMS, **cell},
        )
        self.say(f"solved {condition}", f"{count}/{PROBLEMS}", quantity="humaneval_plus", **cell)
        self.say(
            f"percent {condition}",
            f"{100 * count / PROBLEMS:.1f}%",
            quantity="humaneval_plus",
            **share,
        )
        self.say(
            f"easy {condition}", f"{100 * easy / PROBLEMS:.1f}%", quantity="humaneval", **share
        )
        self.possible[f"easy {condition}"] = [100 * k / PROBLEMS for k in range(PROBLEMS + 1)], 1

    def against_base(
        self, condition: str, count: int, base: int, method: str, cell: Fields
    ) -> None:
        """Make two proportions: their difference in points, its test, its interval, and what the
        test says.
        """
        two = {
            "of": {"statistic": "single"},
            "against": {"condition": "B0"},
            "quantity": "humaneval_plus",
            **cell,
        }
        points = {
            **two,
            "of": {"statistic": "percentage"},
            "statistic": "difference",
            "unit": "points",
        }
        self.say(f"points {condition}", fixed(100 * (count - base) / PROBLEMS, 1), **points)
        z, p = proportions_ztest([count, base], [PROBLEMS, PROBLEMS])
        self.say(f"z {condition}", fixed(float(z), 2), statistic="z", **two)
        self.say(f"p two {condition}", fixed(float(p), 3), statistic="p_two", **two)
        self.say(f"p one {condition}", fixed(float(norm.sf(z)), 3), statistic="p_one", **two)
        low, high = confint_proportions_2indep(
            count, PROBLEMS, base, PROBLEMS, method=method, compare="diff"
        )
        self.say(f"interval {condition}", f"[{fixed(100 * low, 1)}, {fixed(100 * high, 1)}]", **two)
        if p < 0.05:
            self.say(f"significant {condition}", "significant", statistic="significant", **two)
        else:
            self.say(f"no effect {condition}", "no difference", statistic="no_effect", **two)

    def energies(self, counts: dict[str, int], energy: dict[str, float]) -> None:
        """Make energies beside the problems solved, and beside the base model's."""
        rho = float(
            spearmanr([energy[c] for c in CONDITIONS], [counts[c] for c in CONDITIONS]).statistic
        )
        cell = {"quantity": "adapter_energy", "model": LARGE, "step": LAST}
        along = {"over": "condition", "among": list(CONDITIONS), "of": "single"}
        solved = {"quantity": "humaneval_plus", "statistic": "percentage"}
        self.say("rho", fixed(rho, 2), statistic="spearman", **along, against=solved, **cell)
        for condition in CONDITIONS[1:]:
            ratio = energy[condition] / energy["B0"]
            operands = {"of": {"condition": condition}, "against": {"condition": "B0"}}
            self.say(f"ratio {condition}", f"{ratio:.2f}×", statistic="ratio", **operands, **cell)
            if abs(math.log10(ratio) - round(math.log10(ratio))) < 0.4:
                orders = f"{round(math.log10(ratio))} orders of magnitude"
                self.say(
                    f"orders {condition}",
                    orders,
                    statistic="orders_of_magnitude",
                    **operands,
                    **cell,
                )

    def sweep(self) -> None:
        """Make loss in proportion to λ; two trajectories that are one; a final EI that hardly
        moves.
        """
        slope = self.random.uniform(5, 50)
        paths = {level: self.numbers.uniform(0.2, 0.6, len(STEPS)) for level in (0.1, 0.2)}
        paths[0.4] = paths[0.1]
        cell = {"model": MIDDLE, "condition": "B4", "seed": 0}
        for level, path in paths.items():
            self.say(
                f"loss {level}",
                fixed(slope * level),
                quantity="csr_loss",
                step=LAST,
                **{**cell, "lambda": level},
            )
            for i, step in enumerate(STEPS):
                self.say(
                    f"sweep {level} {step}",
                    fixed(float(path[i])),
                    quantity=EI,
                    step=step,
                    **{**cell, "lambda": level},
                )
        self.say(
            "linear",
            "linearly",
            quantity="csr_loss",
            statistic="proportional",
            over="lambda",
            step=LAST,
            **cell,
        )
        operands = {"of": {"lambda": 0.1}, "against": {"lambda": 0.4}}
        self.say(
            "identical",
            "identical",
            quantity=EI,
            statistic="identical",
            over="step",
            **operands,
            **cell,
        )
        ends = [float(path[-1]) for path in paths.values()]
        wide = max(ends) - min(ends)
        self.say(
            "span", fixed(wide), quantity=EI, statistic="span", over="lambda", step=LAST, **cell
        )
        self.say(
            "span bound",
            f"less than {fixed(wide + 0.02, 2)}",
            quantity=EI,
            statistic="span",
            over="lambda",
            step=LAST,
            **cell,
        )

    def pairs(self) -> None:
        """Make crosstalk of three pairs of domains, from directed damages."""
        for name in ("math", "law", "poetry"):
            own = self.numbers.uniform(0.3, 0.9, 2)
            across = self.numbers.uniform(0.02, 0.3, 2)
            ratio = float(own.sum() / (own.sum() + across.sum()))
            cell = {"companion": name, "model": SMALL}
            self.say(f"crosstalk {name}", fixed(float(across.mean())), quantity="crosstalk", **cell)
            self.edges[f"ratio of {name}"] = 1.0
            self.edges[f"asymmetry {name}"] = 1.0
            self.say(f"ratio of {name}", fixed(ratio), quantity="block_diagonal_ratio", **cell)
            asymmetry = float(abs(across[0] - across[1]) / across.sum())
            self.say(f"asymmetry {name}", fixed(asymmetry, 2), quantity="asymmetry", **cell)
