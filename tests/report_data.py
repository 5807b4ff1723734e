"""A small made-up corpus, and a model of it, for the tests of explanations, reports and comparisons."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import numpy as np
import pytest

from pipeline import config as configs
from pipeline import dataset, evaluate
from pipeline import model as models

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

_PLACES = {
    "syria": ["دمشق", "حلب", "إدلب", "الغوطة", "درعا"],
    "ukraine": ["كييف", "القرم", "دونباس", "خاركيف", "أوديسا"],
    "none": ["القاهرة", "تونس", "الرباط", "عمّان", "مسقط"],
}
_FACTS = {
    "syria": "تواصل القصف على أحياء المدينة السورية واستمر نزوح السكان نحو الحدود",
    "ukraine": "تبادل الجيش الأوكراني والقوات المهاجمة الاتهامات بخرق الهدنة شرق البلاد",
    "none": "أعلنت البلدية افتتاح سوق جديد للخضر والفواكه وسط حضور شعبي واسع",
}
_STANCE = {
    "favor": "ورحبت واشنطن وموسكو بنتائج المحادثات ووصفتاها بأنها بناءة ومثمرة",
    "against": "وأدانت واشنطن موسكو وفرضت عليها عقوبات جديدة وهددت بالمزيد",
    "neutral": "وقال مسؤول محلي إن الأرقام ستنشر في وقت لاحق من الأسبوع",
}
_FILLER = ["صباح الأحد", "مساء الاثنين", "يوم الثلاثاء", "ليل الأربعاء", "فجر الخميس", "ظهر الجمعة", "قبيل السبت"]


def rows(n: int = 90) -> list[dict[str, str]]:
    """Articles with labels; some say something else than their labels, so that there are errors to show."""
    random = np.random.default_rng(7)
    found = []
    for i in range(n):
        topic = ("syria", "ukraine", "none")[i % 3]
        stance = ("favor", "against", "neutral")[(i // 3) % 3]
        place = _PLACES[topic if i % 7 else "none"][i % 5]
        when = _FILLER[int(random.integers(7))]
        said = topic if i % 7 else ("ukraine" if topic == "syria" else "none")
        tone = stance if i % 8 else "against"
        words = random.permutation([w for part in _FILLER for w in part.split()])
        text = f"{place} - {_FACTS[said]} {when}.\n{_STANCE[tone]}. تفاصيل إضافية: {' '.join(words[:6])} رقم {i}."
        found.append(
            {
                "id": f"a{i:03}",
                "title": f"أنباء من {place} {when} {i}",
                "text": text,
                "source": ("صحيفة الفجر", "وكالة المدار", "Daily Watch")[i % 4 % 3],
                "date": f"20{15 + i % 4}-{1 + i % 12:02}-11",
                "topics": topic,
                "stance": stance,
                "relevant": "0" if stance == "neutral" and i % 2 else "1",
                "sure": str(1 + (i * 7) % 3),
            }
        )
    return found


def settings(path: Path | str, **more: object) -> configs.Config:
    """A config for them; `more` replaces tables."""
    tree = {
        "n_jobs": 1,
        "data": {"sources": [{"path": str(path)}]},
        "cleaning": {"page_noise": False},
        "split": {"folds": 3},
        "features": {
            "words": {"kind": "tfidf", "analyzer": "word", "ngram_range": [1, 2]},
            "characters": {"kind": "tfidf", "analyzer": "char_wb", "ngram_range": [2, 4]},
            "terms": {"kind": "terms", "path": str(ROOT / "seeds" / "terms.toml")},
            "target": {
                "kind": "target",
                "path": str(ROOT / "seeds" / "target.toml"),
                "polarity": str(ROOT / "seeds" / "polarity.toml"),
            },
        },
        "heads": {
            "topics": {"kind": "multilabel", "labels": ["syria", "ukraine"], "column": "topics"},
            "stance": {
                "kind": "single",
                "labels": ["favor", "against", "neutral"],
                "column": "stance",
                "gate": "relevant",
                "default": "neutral",
                "target": "engagement between Washington and Moscow",
            },
        },
        "evaluation": {"terms": str(ROOT / "seeds" / "terms.toml")},
        "output": {"name": "tiny", "folder": str(Path(path).parent / "models")},
    } | more
    return configs.parse(tree)


def write(folder: Path, n: int = 90) -> Path:
    """The articles as a CSV file."""
    path = folder / "articles.csv"
    found = rows(n)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(found[0]))
        out.writeheader()
        out.writerows(found)
    return path


@functools.cache
def trained() -> tuple[configs.Config, dataset.Dataset, models.Model, dict[str, evaluate.Judged]]:
    """Config, data, a model of all articles, and the judgements of cross-validation."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        config = settings(write(Path(folder)))
        data = dataset.load(config)
    data.table["sure"] = [row["sure"] for row in rows()]
    model = models.fit(config, data, np.arange(len(data)))
    judged = {"cross_validation": evaluate.cross_validate(config, data)}
    model.familiar_from = float(np.quantile(judged["cross_validation"].familiar, 0.05))
    return config, data, model, judged


def real(name: str, n: int, seed: int = 0) -> list:
    """Some articles of a public corpus; skips the test where its archive is not here."""
    import os

    from pipeline import corpora

    folder = os.environ.get("MIRSAD_CORPORA") or str(SHARED / "corpora")
    if not Path(folder).is_dir():
        pytest.skip(f"no archives of public corpora in {folder}")
    articles = list(corpora.get(name, from_dir=folder).articles())
    picked = np.random.default_rng(seed).choice(len(articles), n, replace=False)
    return [articles[i] for i in sorted(picked)]


@functools.cache
def report(texts: bool = True) -> dict:
    """A report of cross-validation over the made-up articles; do not change it."""
    from pipeline.report import summary

    config, data, model, judged = trained()
    config = config.model_copy(update={"output": config.output.model_copy(update={"texts": texts})})
    it = judged["cross_validation"]
    metrics = {
        "cross_validation": {
            "heads": evaluate.measure(config.heads, data, it.rows, it.probabilities, it.decided, seed=0),
            "baselines": evaluate.baselines(config, data, it.rows),
        }
    }
    return summary.summarize(config, data, judged, metrics, model, name="tiny", command="mirsad train tiny.toml")
