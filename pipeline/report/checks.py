"""What a careful reader would look for first, as checks that look at a report's numbers.

Each check is a small class with a code, a title and the section that it links to; called with a report, it says how bad
it is and in a sentence why. That a check does not apply is a result too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]

ERROR, WARNING, OK, NOT_APPLICABLE = "error", "warning", "ok", "not applicable"
SEVERITIES = (ERROR, WARNING, OK, NOT_APPLICABLE)

AGENCIES = (
    "رويترز",
    "سبوتنيك",
    "سانا",
    "انترفاكس",
    "اسوشيتد",
    "بلومبرغ",
    "سكاي",
    "الجزيره",
    "العربيه",
    "afp",
    "reuters",
)
"""Names of outlets and agencies, normalized, that may be learned in place of a subject."""


@dataclass(frozen=True)
class Finding:
    """How bad, and why, in a sentence."""

    severity: str
    sentence: str


class Check:
    """A question to a report.

    Attributes
    ----------
    code : str
        Stays the same for ever, so that people can refer to it.
    title : str
    link : str
        Section of the page with the numbers behind it.
    """

    code = title = link = ""

    def __call__(self, report: Report) -> Finding:
        """Look at a report."""
        return self._look(report)

    def _look(self, report: Report) -> Finding:
        raise NotImplementedError


def run(report: Report) -> list[dict[str, str]]:
    """Every check's finding, the worst first; `report` as `summary.summarize` makes it."""
    found = [
        {
            "code": check.code,
            "title": check.title,
            "link": check.link,
            "severity": said.severity,
            "sentence": said.sentence,
        }
        for check in CHECKS
        for said in [check(report)]
    ]
    return sorted(found, key=lambda row: (SEVERITIES.index(row["severity"]), row["code"]))


def failing(checks: list[dict[str, str]], level: str) -> list[dict[str, str]]:
    """Findings as bad as a level ("error" or "warning") or worse."""
    return [row for row in checks if SEVERITIES.index(row["severity"]) <= SEVERITIES.index(level)]


def _labels(report: Report) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, head in report["labels"].items():
        for label, of in head["labels"].items():
            yield name, label, of


def _listed(found: list[str], most: int = 4) -> str:
    return "; ".join(found[:most]) + (f"; and {len(found) - most} more" if len(found) > most else "")


class Gates(Check):
    """The gates of the config."""

    code, title, link = "M01", "Gates of the config", "verdict"

    def _look(self, report: Report) -> Finding:
        verdict = report["verdict"]
        if verdict["state"] == "no gates":
            return Finding(NOT_APPLICABLE, "The config sets no gates ([gates] f1, macro_f1, ece).")
        failed = [row for row in verdict["rows"] if row["passes"] is False]
        loose = [row for row in verdict["calibration_gates"] if not row["passes"]]
        said = [
            f"F1 of {row['label'] or row['head']} is {row['f1']:.2f}, the gate is {row['gate']:.2f}" for row in failed
        ]
        said += [f"ECE of {row['label']} is {row['ece']:.3f}, the gate is {row['gate']:.3f}" for row in loose]
        if said:
            return Finding(ERROR, _listed(said) + ".")
        close = [row["label"] or row["head"] for row in verdict["rows"] if row["gate"] and not row["certain"]]
        if close:
            return Finding(
                OK, f"All are passed; for {', '.join(close)} another sample of articles might say otherwise."
            )
        return Finding(OK, "All are passed, and their intervals lie above them.")


class TooFewPositives(Check):
    """Labels with so few articles that their numbers say little."""

    code, title, link = "M02", "Enough articles of each label", "labels"
    few, far_too_few = 20, 5

    def _look(self, report: Report) -> Finding:
        low = [(label, of["support"]) for _, label, of in _labels(report) if of["support"] < self.few]
        if not low:
            return Finding(OK, f"Every label has {self.few} articles or more.")
        said = _listed([f"{label} has {n}" for label, n in low])
        worst = min(n for _, n in low)
        return Finding(
            ERROR if worst < self.far_too_few else WARNING,
            f"{said}: below {self.few} articles a score can be anything within its wide interval.",
        )


class WorseThanBaseline(Check):
    """Labels on which an answer without any training does better."""

    code, title, link = "M03", "Better than the baselines", "baselines"

    def _look(self, report: Report) -> Finding:
        worse, clearly, compared = [], False, False
        for name, label, of in _labels(report):
            for baseline, heads in report["baselines"].items():
                if name not in heads:
                    continue
                compared = True
                other = heads[name]["labels"][label]["f1"]
                if of["support"] and other > of["f1"]:
                    worse.append(f"{label}: F1 {of['f1']:.2f}, {baseline} alone reaches {other:.2f}")
                    clearly = clearly or other > of["f1_interval"][1]
        if not compared:
            return Finding(NOT_APPLICABLE, "There is no baseline to compare with.")
        if worse:
            return Finding(ERROR if clearly else WARNING, _listed(worse) + ".")
        return Finding(OK, "Every label is better than the majority and the seed terms alone.")


class Leakage(Check):
    """Articles that the model had seen, or whose future it had seen."""

    code, title, link = "M04", "Nothing of the test seen in training", "data"

    def _look(self, report: Report) -> Finding:
        data = report["data"]
        said = []
        if data["duplicates"]["across"]:
            said.append(f"{data['duplicates']['across']} groups of duplicates stand on both sides")
        if both := data["trained_on_too"]:
            said.append(f"the model was trained on {', '.join(both)}, which it is judged on here")
        until, first = data["dates"]["trained_until"], data["dates"]["first"]
        if report["provenance"]["config"]["split"]["kind"] == "date" and until and first and first <= until:
            said.append(
                f"the split is by date, but articles from {first} on are judged and training goes up to {until}"
            )
        if said:
            return Finding(ERROR, _listed(said) + ".")
        return Finding(OK, "No duplicate stands on both sides, and no source is both learned from and judged on.")


class ThresholdAtEdge(Check):
    """Thresholds that ask for hardly any or nearly full certainty: the scores do not tell the label apart."""

    code, title, link = "M05", "Thresholds away from the edges", "thresholds"

    def _look(self, report: Report) -> Finding:
        rows = [row for head in report["thresholds"].values() for row in head]
        if not rows:
            return Finding(NOT_APPLICABLE, "No head uses thresholds.")
        edge = [f"{row['label']} at {row['threshold']:.2f}" for row in rows if row["edge"]]
        if edge:
            return Finding(WARNING, f"{_listed(edge)}: nearly everything, or nearly nothing, would be given the label.")
        return Finding(OK, "All lie between 0.03 and 0.97.")


class Miscalibrated(Check):
    """Probabilities that do not mean what they say."""

    code, title, link = "M06", "Probabilities mean what they say", "calibration"
    off, far_off = 0.08, 0.15

    def _look(self, report: Report) -> Finding:
        rows = [row for head in report["calibration"].values() for row in head if row["reliable"]]
        if not rows:
            return Finding(NOT_APPLICABLE, "No label has enough articles to judge its calibration.")
        bad = [row for row in rows if row["ece"] > self.off]
        if bad:
            said = _listed([f"{row['label']} is off by {row['ece']:.2f} on average" for row in bad])
            return Finding(ERROR if max(row["ece"] for row in bad) > self.far_off else WARNING, said + ".")
        return Finding(OK, f"No label is off by more than {self.off} on average.")


class OutletAmongWords(Check):
    """An outlet's name among the strongest words: its house style is learned in place of the subject."""

    code, title, link = "M07", "Outlets' names do not decide", "labels"

    def _look(self, report: Report) -> Finding:
        if not report["top_words"]:
            return Finding(NOT_APPLICABLE, "The report holds no words.")
        outlets = set(AGENCIES) | {name for name in report["data"]["outlet_words"] if len(name) > 2}
        found = [
            f"{row['word']} ({'for' if side == 'for' else 'against'} {label})"
            for head in report["top_words"].values()
            for label, sides in head.items()
            for side, words in sides.items()
            for row in words[:15]
            if re.sub(r"^(ال|لل|وال|ل|ب|و)(?=\w{4})", "", row["word"]) in outlets or row["word"] in outlets
        ]
        if found:
            return Finding(WARNING, f"Among the strongest words: {_listed(found)}.")
        return Finding(OK, "No outlet's name is among the 15 strongest words of a label.")


class SeedTermsOnly(Check):
    """Labels that rest on listed terms nearly alone: the model then finds what the list has, and little else."""

    code, title, link = "M08", "More than the seed terms", "labels"
    most = 0.75

    def _look(self, report: Report) -> Finding:
        blocks = [n for n, b in report["provenance"]["config"]["features"].items() if b["kind"] == "terms"]
        if not blocks:
            return Finding(NOT_APPLICABLE, "The model has no block of listed terms.")
        heavy = [
            f"{label} ({share:.0%})"
            for head in report["block_shares"].values()
            for label, shares in head.items()
            if (share := sum(shares.get(block, 0.0) for block in blocks)) > self.most
        ]
        if heavy:
            return Finding(WARNING, f"What speaks for a label comes mostly from seed terms: {_listed(heavy)}.")
        return Finding(OK, f"No label owes more than {self.most:.0%} of what speaks for it to seed terms.")


class SliceFarBelow(Check):
    """Slices whose whole interval lies far below the rest."""

    code, title, link = "M09", "No part far below the rest", "slices"
    below = 0.05

    def _look(self, report: Report) -> Finding:
        found, any_cell = [], False
        for name, head in report["slices"]["heads"].items():
            for cell in head["cells"]:
                if cell["small"] or cell["interval"] is None or head["overall"] is None:
                    continue
                any_cell = True
                if cell["interval"][1] < head["overall"] - self.below:
                    found.append(
                        (cell["score"], f"{name} on {cell['dimension']} {cell['value']}: F1 {cell['score']:.2f}")
                    )
        if not any_cell:
            return Finding(NOT_APPLICABLE, "No slice has enough articles with labels.")
        if found:
            return Finding(WARNING, _listed([text for _, text in sorted(found)]) + ".")
        return Finding(OK, "No slice with enough articles is surely below the whole.")


class NeverGiven(Check):
    """Labels that occur and are never given."""

    code, title, link = "M10", "Every label is given sometimes", "labels"

    def _look(self, report: Report) -> Finding:
        never = [
            f"{label} ({of['support']} articles)"
            for _, label, of in _labels(report)
            if of["support"] and not of["predicted"]
        ]
        if never:
            return Finding(ERROR, f"Never given: {_listed(never)}.")
        return Finding(OK, "Every label that occurs is given to some article.")


class Drift(Check):
    """Articles unlike those of the training: in their words, or in how common labels are."""

    code, title, link = "M11", "The articles are like those of the training", "coverage"
    some, many, times = 0.05, 0.2, 3.0

    def _look(self, report: Report) -> Finding:
        drift = report["drift"]
        if drift is None:
            return Finding(NOT_APPLICABLE, "Cross-validation draws training and test from the same articles.")
        said = []
        if drift["out_of_scope"] > self.some:
            said.append(f"{drift['out_of_scope']:.0%} of the articles are flagged as unlike the training")
        for row in drift["labels"]:
            low, high = sorted((row["training"], row["here"]))
            if high >= 0.02 and high > self.times * max(low, 1e-9):
                said.append(
                    f"{row['label']} is {row['here']:.0%} of the articles, and was {row['training']:.0%} in training"
                )
        if said:
            return Finding(ERROR if drift["out_of_scope"] > self.many else WARNING, _listed(said) + ".")
        return Finding(OK, "Words and labels are spread much as in training.")


CHECKS: tuple[Check, ...] = (
    Gates(),
    TooFewPositives(),
    WorseThanBaseline(),
    Leakage(),
    ThresholdAtEdge(),
    Miscalibrated(),
    OutletAmongWords(),
    SeedTermsOnly(),
    SliceFarBelow(),
    NeverGiven(),
    Drift(),
)
