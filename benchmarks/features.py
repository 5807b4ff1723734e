"""How fast text becomes features: this project's kernel, scikit-learn, and others, in one run on one machine.

    python benchmarks/features.py --articles 20000 --runs 5

reads articles of `ant` (see `mirsad corpora get ant`; ``MIRSAD_CORPORA`` names a folder of archives), or makes a
repeatable synthetic set where the archive is absent, and writes a table and a JSON file to ``benchmarks/results``.
Everything runs on one core unless it says otherwise. Times are medians of the runs, in processor time, so that other
work on the machine does not count; only what two threads gain is told by the clock on the wall. On Linux the C library
is told to keep freed memory for the next run: on a virtual machine, getting a fresh page can cost more than filling it.
fastText, Vowpal Wabbit and spaCy are measured where they are installed (``uv sync --group bench``).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 - it reads the variables when it is imported

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results"
WORDS = {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True}
LETTERS = {"analyzer": "char_wb", "ngram_range": (2, 5), "min_df": 2, "sublinear_tf": True}


# Read by the C library when a process starts. Peak memory is measured without.
KEEP_FREED_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}


# --------------------------------------------------------------------------------------------------------- articles


def real_articles(n: int) -> list[str]:
    """Texts of `ant` (title and body), spread evenly over the corpus."""
    from pipeline import corpora

    texts = [f"{article.title}\n{article.text}" for article in corpora.get("ant").articles(clean=False)]
    step = max(1, len(texts) // n)
    return texts[::step][:n]


def synthetic_articles(n: int) -> list[str]:
    """Words of random Arabic letters with Zipf's frequencies, some with diacritics; the same each time."""
    draw = random.Random(0)
    letters = "اااالليلمنورتبةعدسفهكقحجشصطخضذثزءغئظأإىآ"
    lexicon = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(60_000)]
    for i in range(0, len(lexicon), 40):
        lexicon[i] += "ًٌٍَُِّْ"[i % 8]
    weights = np.cumsum(1.0 / np.arange(2, len(lexicon) + 2)).tolist()
    ends = [" "] * 12 + ["، ", ". ", "\n"]
    return [
        "".join(
            word + draw.choice(ends) for word in draw.choices(lexicon, cum_weights=weights, k=draw.randint(80, 500))
        )
        for _ in range(n)
    ]


# ---------------------------------------------------------------------------------------------------- normalizations


def camel_normalizer() -> Callable[[str], str]:
    """The default steps, camel-tools' own functions where it has them."""
    from camel_tools.utils.dediac import dediac_ar
    from camel_tools.utils.normalize import (
        normalize_alef_ar,
        normalize_alef_maksura_ar,
        normalize_teh_marbuta_ar,
        normalize_unicode,
    )

    from pipeline.text.normalize import CHARACTER_STEPS

    rest = {ord(c): t for step in ("tatweel", "marks", "persian", "digits") for c, t in CHARACTER_STEPS[step].items()}

    def normalize(text: str) -> str:
        text = normalize_alef_ar(dediac_ar(normalize_unicode(text)))
        return normalize_teh_marbuta_ar(normalize_alef_maksura_ar(text)).translate(rest).lower()

    return normalize


def fastest_plain_normalizer() -> Callable[[str], str]:
    """The same result by the fastest means of plain Python found: NFKC, then ``str.replace`` a character."""
    from pipeline.text.normalize import CHARACTER_STEPS, LIGATURES

    pairs = [pair for mapping in CHARACTER_STEPS.values() for pair in mapping.items()]

    def normalize(text: str) -> str:
        for ligature, spelled in LIGATURES.items():
            text = text.replace(ligature, spelled)
        text = unicodedata.normalize("NFKC", text)
        for character, target in pairs:
            text = text.replace(character, target)
        return text.lower()

    return normalize


# --------------------------------------------------------------------------------------------------------- measuring


class Table:
    """Results as they come in."""

    def __init__(self, texts: list[str], runs: int) -> None:
        self.n, self.runs = len(texts), runs
        self.megabytes = sum(len(text.encode()) for text in texts) / 1e6
        self.rows: list[dict[str, Any]] = []

    def measure(self, name: str, work: Callable[[], Any], *, n: int | None = None, runs: int | None = None) -> float:
        """Median seconds of some runs for n articles, scaled to one article and shown."""
        n = n or self.n
        times, walls = [], []
        for number in range(runs or self.runs):
            if number < 10:  # it would empty the caches before each of many short runs
                gc.collect()
            wall, start = time.perf_counter(), time.process_time()
            result = work()
            times.append((time.process_time() - start) / n)
            walls.append((time.perf_counter() - wall) / n)
            del result  # before the next run, so that its memory is used again
        per_article = statistics.median(times)
        self.add(name, per_article, statistics.median(walls), sorted(t * 1e6 for t in times)[:20])
        return per_article

    def add(self, name: str, per_article: float, wall: float = 0.0, runs: list[float] | None = None) -> None:
        rate = 1.0 / per_article
        speed = self.megabytes / self.n * rate
        self.rows.append(
            {
                "what": name,
                "us_per_article": round(per_article * 1e6, 2),
                "articles_per_second": round(rate),
                "MB_per_second": round(speed, 2),
                "wall_us_per_article": round(wall * 1e6, 2),
                "runs_us": [round(t, 2) for t in runs or []],
            }
        )
        print(f"{name:58s} {per_article * 1e6:10.1f} us/article {rate:10.0f} articles/s {speed:8.1f} MB/s", flush=True)

    def us(self, name: str, clock: str = "us_per_article") -> float:
        return next(row[clock] for row in self.rows if row["what"] == name)


def limits(table: Table, texts: list[str]) -> None:
    """What any program pays: decoding, a table lookup a character, a hash a character."""
    import numba

    from pipeline.features.characters import characters
    from pipeline.text import DEFAULT_STEPS

    encoded = [text.encode() for text in texts]
    units = np.frombuffer("".join(texts).encode("utf-16-le", "surrogatepass"), np.uint16)
    out = np.empty(len(units), np.uint32)
    mapping = characters(DEFAULT_STEPS).units

    @numba.njit
    def normalize(units: Any, mapping: Any, out: Any) -> None:
        for i in range(len(units)):
            out[i] = mapping[units[i]]

    @numba.njit
    def hashing(units: Any) -> Any:
        h = np.uint64(0)
        for i in range(len(units)):
            h = (h ^ np.uint64(units[i])) * np.uint64(0x9E3779B97F4A7C15)
        return h

    normalize(units, mapping, out)
    hashing(units)
    table.measure("limit: UTF-8 decode", lambda: [text.decode() for text in encoded])
    table.measure("limit: one table lookup a character", lambda: normalize(units, mapping, out))
    table.measure("limit: one hash a character", lambda: hashing(units))


def union(make: Callable[..., Any], **more: Any) -> Any:
    from sklearn.pipeline import FeatureUnion

    return FeatureUnion([("words", make(**WORDS, **more)), ("letters", make(**LETTERS, **more))])


def ours(n_jobs: int = 1) -> Any:
    from pipeline.features import ArabicTfidfVectorizer, TfidfBlocks

    return TfidfBlocks(
        [
            ("words", ("body",), ArabicTfidfVectorizer(**WORDS)),
            ("letters", ("body",), ArabicTfidfVectorizer(**LETTERS)),
        ],
        n_jobs=n_jobs,
    )


def columns(texts: list[str]) -> tuple[list[str], list[str], list[str]]:
    empty = [""] * len(texts)
    return empty, empty, texts


def vectorizers(table: Table, texts: list[str], theirs: int) -> None:
    """Fit and transform, ours and scikit-learn's, and ours against theirs."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

    camel, plain = camel_normalizer(), fastest_plain_normalizer()
    slow = table.measure("normalization: camel-tools", lambda: [camel(text) for text in texts])
    fast = table.measure("normalization: fastest in plain Python", lambda: [plain(text) for text in texts])
    normalized = [plain(text) for text in texts]
    blocks = ours()
    blocks.fit(*columns(texts[:200])).transform(*columns(texts[:50]))  # machine code is compiled or loaded
    table.measure("ours: fit_transform", lambda: ours().fit_transform(*columns(texts)))
    blocks = ours().fit(*columns(texts))
    table.measure("ours: transform, tables still to be made", lambda: blocks.transform(*columns(texts)), runs=1)
    table.measure("ours: transform", lambda: blocks.transform(*columns(texts)))
    blocks.n_jobs = 2
    table.measure("ours: transform, two threads", lambda: blocks.transform(*columns(texts)))

    base = union(TfidfVectorizer, lowercase=False)
    fits = table.measure(
        "scikit-learn on normalized text: fit_transform", lambda: base.fit_transform(normalized), runs=theirs
    )
    finds = table.measure("scikit-learn on normalized text: transform", lambda: base.transform(normalized), runs=theirs)
    for name, cost in (("camel-tools", slow), ("fastest plain Python", fast)):
        table.add(f"scikit-learn after {name}: fit_transform", fits + cost)
        table.add(f"scikit-learn after {name}: transform", finds + cost)
    difference(base.transform(normalized[:2000]), blocks.transform(*columns(texts[:2000])), base, blocks)
    hashing = union(
        lambda **params: HashingVectorizer(
            lowercase=False, **{k: v for k, v in params.items() if k in ("analyzer", "ngram_range")}
        )
    )
    some = normalized[: max(1, len(normalized) // 4)]
    table.measure(
        "HashingVectorizer on normalized text: transform", lambda: hashing.transform(some), n=len(some), runs=theirs
    )


def difference(theirs: Any, ours: Any, base: Any, blocks: Any) -> None:
    """Stop where the matrices differ."""
    names = [name.split("__", 1)[1] for name in base.get_feature_names_out()]
    assert names == [name.split("__", 1)[1] for name in blocks.get_feature_names_out()]
    largest = abs(theirs - ours).max()
    assert largest < 1e-6, largest
    print(f"largest difference of the matrices on {ours.shape[0]} articles: {largest:.1e}", flush=True)


def files_to_labels(table: Table, texts: list[str], theirs: int) -> None:
    """Read files, normalize, featurize, score with a linear model: ours and camel-tools + scikit-learn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier

    from pipeline.features import TfidfScorer

    camel = camel_normalizer()
    base = union(TfidfVectorizer, preprocessor=camel).fit(texts)
    blocks = ours()
    X = blocks.fit_transform(*columns(texts))
    labels = np.array([len(text) % 4 for text in texts])
    model = SGDClassifier(random_state=0, max_iter=2, tol=None).fit(X, labels)
    scorer = TfidfScorer.compile(blocks, model.coef_.T)

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.txt" for i in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")

        def read() -> list[str]:
            return [path.read_text(encoding="utf-8") for path in paths]

        def by_us(n_jobs: int = 1) -> Any:
            return (scorer.scores(*columns(read()), n_jobs=n_jobs).scores + model.intercept_).argmax(axis=1)

        def by_them() -> Any:
            return model.decision_function(base.transform(read())).argmax(axis=1)

        by_us()
        table.measure("reading the files", read)
        table.measure("ours: files to labels", by_us)
        table.measure("ours: files to labels, two threads", lambda: by_us(2))
        table.measure("camel-tools + scikit-learn: files to labels", by_them, runs=theirs)
        assert (by_us() == by_them()).mean() > 0.999
    short = sorted(texts, key=len)[len(texts) // 4]
    table.measure("ours: one short article, model loaded", lambda: scorer.scores([""], [""], [short]), n=1, runs=500)


def others(table: Table, texts: list[str]) -> None:
    """Other programs' way from normalized text to labels, where they are installed."""
    plain = fastest_plain_normalizer()
    lines = [" ".join(plain(text).split()) for text in texts]
    labels = [f"l{len(text) % 4}" for text in texts]
    n = len(lines)
    try:
        import fasttext

        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
            file.writelines(f"__label__{label} {line}\n" for label, line in zip(labels, lines, strict=True))
            file.flush()
            options = {"wordNgrams": 2, "minn": 2, "maxn": 5, "dim": 10, "epoch": 1, "thread": 1, "verbose": 0}
            table.measure(
                "fastText 1-2 words, 2-5 letters, dim 10: train, one epoch",
                lambda: fasttext.train_supervised(file.name, **options), runs=1,
            )  # fmt: skip
            model = fasttext.train_supervised(file.name, **options)
        table.measure(
            "fastText: normalized text to labels", lambda: [model.f.predict(x, 1, 0.0, "strict") for x in lines]
        )
    except ImportError:
        print("fastText is not installed")
    try:
        from vowpalwabbit import pyvw

        rows = [line.replace(":", " ").replace("|", " ") for line in lines]
        learner = pyvw.Workspace("--oaa 4 --ngram 2 -b 22 --quiet")
        table.measure(
            "Vowpal Wabbit 1-2 words: train, one pass",
            lambda: [learner.learn(f"{int(y[1]) + 1} | {x}") for y, x in zip(labels, rows, strict=True)], runs=1,
        )  # fmt: skip
        table.measure("Vowpal Wabbit: normalized text to labels", lambda: [learner.predict(f"| {x}") for x in rows])
        learner.finish()
    except ImportError:
        print("Vowpal Wabbit is not installed")
    try:
        import spacy
        from spacy.training import Example

        nlp = spacy.blank("ar")
        config = {"model": {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 2}}
        config["model"]["no_output_layer"] = False
        pipe = nlp.add_pipe("textcat", config=config)
        for label in sorted(set(labels)):
            pipe.add_label(label)
        part = lines[: min(n, 500)]
        made = [
            Example.from_dict(nlp.make_doc(x), {"cats": {label: float(label == y) for label in set(labels)}})
            for x, y in zip(part, labels, strict=False)
        ]
        nlp.initialize(lambda: made)
        table.measure(
            "spaCy TextCatBOW 1-2 words: normalized text to labels", lambda: list(nlp.pipe(part)), n=len(part)
        )
    except ImportError:
        print("spaCy is not installed")


def memory(texts_from: list[str]) -> dict[str, float]:
    """Peak memory (MB) of fit_transform, each in a process of its own; `texts_from` are arguments for it."""
    found = {}
    environment = {name: value for name, value in os.environ.items() if name not in KEEP_FREED_MEMORY}
    for name in ("nothing", "ours", "scikit-learn"):
        done = subprocess.run(
            [sys.executable, __file__, *texts_from, "--memory-of", name],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        found[name] = float(done.stdout.split()[-1])
        print(f"peak memory, {name:14s} {found[name]:8.0f} MB", flush=True)
    return found


def fit_and_say_peak(name: str, texts: list[str]) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    if name == "ours":
        kept = ours().fit_transform(*columns(texts))
    elif name == "scikit-learn":
        kept = union(TfidfVectorizer, preprocessor=fastest_plain_normalizer()).fit_transform(texts)
    else:
        kept = None
    print(0 if kept is None else kept.nnz, _peak_megabytes())


def _peak_megabytes() -> float:
    """Peak memory of this process."""
    try:  # what the system says of a process begins with the peak of its parent, which is large here; this does not
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--their-runs", type=int, help="runs of scikit-learn, which takes minutes each (default: --runs)"
    )
    parser.add_argument("--synthetic", action="store_true", help="do not look for the archive")
    parser.add_argument("--output", type=Path, default=RESULTS / "features.json")
    parser.add_argument("--memory-of", choices=("nothing", "ours", "scikit-learn"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    theirs = options.their_runs or options.runs
    source = "synthetic"
    if not options.synthetic:
        try:
            texts = real_articles(options.articles)
            source = "ant"
        except Exception as error:  # the archive is absent: say so and go on
            print(f"{error}\n", file=sys.stderr)
    if source == "synthetic":
        texts = synthetic_articles(options.articles)
    if options.memory_of:
        fit_and_say_peak(options.memory_of, texts)
        return

    table = Table(texts, options.runs)
    print(f"{table.n} articles ({source}), {table.megabytes:.0f} MB of UTF-8\n")
    limits(table, texts)
    vectorizers(table, texts, theirs)
    part = texts[: max(1, len(texts) // 4)]
    files_to_labels(_part_of(table, part), part, theirs)
    others(_part_of(table, part), part)
    peaks = memory([f"--articles={options.articles}", *(["--synthetic"] if source == "synthetic" else [])])

    ratios = {
        "transform against scikit-learn after camel-tools": (
            "scikit-learn after camel-tools: transform",
            "ours: transform",
        ),
        "transform against scikit-learn after the fastest plain normalization": (
            "scikit-learn after fastest plain Python: transform",
            "ours: transform",
        ),
        "fit_transform against scikit-learn after camel-tools": (
            "scikit-learn after camel-tools: fit_transform",
            "ours: fit_transform",
        ),
        "fit_transform against scikit-learn after the fastest plain normalization": (
            "scikit-learn after fastest plain Python: fit_transform",
            "ours: fit_transform",
        ),
        "files to labels": ("camel-tools + scikit-learn: files to labels", "ours: files to labels"),
    }
    speedups = {name: round(table.us(slow) / table.us(fast), 2) for name, (slow, fast) in ratios.items()}
    for name in ("transform", "files to labels"):
        one, two = (table.us(f"ours: {name}{more}", "wall_us_per_article") for more in ("", ", two threads"))
        speedups[f"two threads against one, {name}"] = round(one / two, 2)
    print()
    for name, value in speedups.items():
        print(f"{name:75s} {value:6.1f} times")
    result = {
        "articles": table.n,
        "source": source,
        "megabytes": round(table.megabytes, 1),
        "runs": options.runs,
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "times": table.rows,
        "speedups": speedups,
        "peak_memory_MB": {name: round(value) for name, value in peaks.items()},
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    temporary = options.output.with_suffix(".part")
    temporary.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(options.output)
    print(f"\nwritten to {options.output}")


def _part_of(table: Table, texts: list[str]) -> Table:
    """A table for fewer articles whose rows go into the same list."""
    part = Table(texts, table.runs)
    part.rows = table.rows
    return part


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    if (
        sys.platform == "linux"
        and "--memory-of" not in sys.argv
        and not KEEP_FREED_MEMORY.items() <= os.environ.items()
    ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | KEEP_FREED_MEMORY)
    main()
