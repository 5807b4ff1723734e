"""Give the doors of the program what no person would write: readers, normalizer, configs, model folders.

    uv run --with atheris python benchmarks/fuzz.py readers --minutes 10

One of four targets runs for the given time under libFuzzer, guided by the coverage of `pipeline`. A finding is any
exception but a MirsadError, a broken promise (see each target), more than 5 seconds for one input, or more than 2 GB.
It ends the run, and its input is left in the folder of the run (`fuzz-TARGET` unless --folder says another).
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numba  # noqa: E402, F401 - first, so that it is not instrumented
import numpy as np  # noqa: E402

# What numba compiles must stay as it is.
_COMPILED = ["pipeline.features.kernel", "pipeline.features.automaton", "pipeline.features.compiled"]
with atheris.instrument_imports(include=["pipeline"], exclude=_COMPILED):
    from pipeline import articles, audit, config, explain, model, scoring, sealed, store, toml, train  # noqa: F401
    from pipeline.articles import Columns, Rejects, Rules
    from pipeline.errors import MirsadError
    from pipeline.features import blocks, featurizer, lexicon, plain, reader, scorer, soundness  # noqa: F401
    from pipeline.features.characters import characters, entries
    from pipeline.text import STEPS, Normalizer

import spoiled  # noqa: E402

SECONDS, MEGABYTES = 5, 2000
SENTENCE = "عاد الهدوء إلى الميناء بعد يومين من الإضراب الذي عطل حركة السفن."
Target = Callable[[bytes], None]


# -------------------------------------------------------------------------------------------------------- readers

_ENDINGS = [".txt", ".csv", ".tsv", ".jsonl", ".parquet", ".txt.gz", ".csv.gz", ".jsonl.gz", ".parquet.gz"]
_ENCODINGS = [None, None, None, "utf-8", "cp1256", "utf-16", "utf-32", "utf-7", "iso8859_6"]


def readers(folder: Path) -> Target:
    """Any bytes under any ending: articles of texts that can be written, rejects of known reasons, or a message."""

    def run(data: bytes) -> None:
        first, second, content = data[:1] or b"\0", data[1:2] or b"\0", data[2:]
        ending = _ENDINGS[first[0] % len(_ENDINGS)]
        path = folder / f"a{ending}"
        # most of what is gzipped is packed here, so that what is in it is reached
        path.write_bytes(gzip.compress(content, 1) if ending.endswith(".gz") and first[0] < 200 else content)
        rules = Rules(
            encoding=_ENCODINGS[second[0] % len(_ENCODINGS)], unique_ids=second[0] > 128, max_chars=10_000, min_words=1
        )
        columns = Columns(labels=("topics",)) if first[0] % 2 else Columns()
        rejects, count = Rejects(folder / "rejects.jsonl"), 0
        with rejects, contextlib.suppress(MirsadError):
            for batch in articles.read(path, columns=columns, rules=rules, rejects=rejects):
                for article in batch:
                    count += 1
                    for cell in (article.id, article.title, article.text, article.source, article.date, article.url):
                        cell.encode()
                    title, lede, body = articles.fields(article)
                    assert lede + body == article.text
                    assert title == article.title
            assert count == rejects.articles
        assert set(rejects.counts) <= set(articles.REASONS)
        path.unlink()

    return run


def reader_seeds() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {"id": "1", "title": "عودة الهدوء", "text": SENTENCE, "date": "2024-01-31", "topics": ["a"]}
    lines = "".join(json.dumps(row | {"id": str(i)}, ensure_ascii=False) + "\n" for i in range(3)).encode()
    table = f'id,title,text,topics\n1,"خبر ""عاجل""","{SENTENCE}",a\n2,b,{SENTENCE},\n'.encode()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([row, row | {"title": None}]), sink)
    parts = [SENTENCE.encode(), table, table.replace(b",", b"\t"), lines, sink.getvalue().to_pybytes()]
    contents = [*parts, parts[0], parts[1], parts[3], parts[4]]
    seeds = [bytes([kind, 0]) + content for kind, content in enumerate(contents)]
    seeds += [bytes([kind, code]) + SENTENCE.encode(name) for kind, code, name in ((0, 4, "cp1256"), (0, 5, "utf-16"))]
    return [*seeds, bytes([204, 0]) + gzip.compress(SENTENCE.encode())]


# ----------------------------------------------------------------------------------------------------- normalizer


def normalizer(folder: Path) -> Target:
    """Any text: the fast way equals the plain way, the tables of the kernel and camel-tools; offsets lead back."""
    from camel_tools.utils.normalize import normalize_unicode

    every, plain = Normalizer(), Normalizer(["unicode"])
    tables = characters(every.steps)

    def run(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        steps = [step for step in STEPS if provider.ConsumeBool()]
        text = provider.ConsumeUnicode(provider.remaining_bytes())
        for normalize in (every, Normalizer(steps)):
            found = normalize(text)
            assert found == normalize.plainly(text)
            again, offsets = normalize.with_offsets(text)
            assert again == found
            assert len(offsets) == len(found) + 1
            assert offsets[-1] == len(text)
            assert (np.diff(offsets) >= 0).all()
            assert offsets[0] >= 0
        assert plain(text) == normalize_unicode(text) or any(c in text for c in "\ufdfc\ufdfd") or max(text) >= "\ud800"
        for character in text[:50]:
            if character < "\ud800" and not tables.units[ord(character)] >> 26:
                assert (entries(every(character)) == tables.units[ord(character)]).all()
        title, cleaned = articles.clean(text[:50], text)
        assert articles.clean(title, cleaned)[1] is not None

    return run


def normalizer_seeds() -> list[bytes]:
    return [
        text.encode("utf-16-le", "surrogatepass")
        for text in (SENTENCE, "ﷲ ﻻ ـًّ ٢٠١٨ ۲ کی ΑΣ İ e\u0301 😀 \u200f", "\ud800a")
    ]


# --------------------------------------------------------------------------------------------------------- config


def configs(folder: Path) -> Target:
    """Any text as a config, as an override, and as a file of terms: a config, or a message of bounded length."""
    path = folder / "a.toml"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        for read in (config.load, lexicon.load_groups, toml.read):
            try:
                found = read(path)
            except MirsadError as error:
                assert len(str(error)) < 100_000
            else:
                if isinstance(found, config.Config):
                    assert config.parse(found.model_dump(mode="json")) == found
        text = data.decode("utf-8", "replace")
        with contextlib.suppress(MirsadError):
            config.load(ROOT / "configs" / "default.toml", [text])

    return run


def config_seeds() -> list[bytes]:
    files = [*(ROOT / "configs").glob("*.toml"), ROOT / "seeds" / "target.toml"]
    return [*(file.read_bytes() for file in files), b"heads.stance.estimator.C=3", b"features.words.ngram_range=[1,2]"]


# ---------------------------------------------------------------------------------------------------------- model


def models(folder: Path) -> Target:
    """A folder changed and sealed anew: refused with a message, or its answers are probabilities."""
    from conftest import as_toml, some_articles, tiny_config

    written, terms = folder / "articles.jsonl", folder / "terms.toml"
    written.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some_articles(3)))
    # short lists: a run is mostly the writing of what was changed
    terms.write_text('[syria]\nterms = ["سوري*", "دمشق"]\n[russia]\nterms = ["موسكو", "الكرملين"]\n')
    tree = tiny_config(written, folder / "models", evaluation={"learning_curve": []})
    tree["features"]["terms"]["path"] = str(terms)
    tree["features"]["target"] |= {"path": str(terms), "polarity": str(terms)}
    (folder / "tiny.toml").write_text(as_toml(tree))
    origin = train.train(config.load(folder / "tiny.toml")).folder
    shutil.rmtree(origin / "report", ignore_errors=True)
    arrays, parts = spoiled.arrays_of(origin), spoiled.members(origin, spoiled.MODEL)
    schema = json.loads(parts.pop("schema.json"))
    copy = Path(shutil.copytree(origin, folder / "copy"))
    asked = [
        articles.Article("1", "عنوان", SENTENCE),
        articles.Article("2", "", "x \U0001f600 ـ"),
        articles.Article("3", "", "كلمة " * 300),
    ]
    fields = articles.split_fields(asked)

    def run(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        if provider.ConsumeBool():
            changed = {name: array.copy() for name, array in arrays.items()}
            for _ in range(provider.ConsumeIntInRange(1, 3)):
                _change_arrays(changed, provider)
            spoiled.edit_arrays(copy, lambda found: (found.clear(), found.update(changed)))
            with contextlib.suppress(MirsadError):
                loaded, _ = store.load_scorer(copy)
                answers = loaded.ask(fields)
                loaded.flags(answers)
                loaded.tfidf._score_plainly(list(zip(*fields, strict=True)), loaded.tfidf.scores(*fields))
                for probabilities in answers.probabilities.values():
                    assert ((probabilities >= 0) & (probabilities <= 1)).all(), probabilities
        else:
            changed_parts, tree = dict(parts), json.loads(json.dumps(schema))
            for _ in range(provider.ConsumeIntInRange(1, 3)):
                if provider.ConsumeBool():
                    _change_tree(tree, provider)
                else:
                    name = provider.PickValueInList(sorted(changed_parts))
                    array = {"it": np.load(spoiled.io.BytesIO(changed_parts[name]))}
                    _change_array(array, "it", provider)
                    changed_parts[name] = spoiled.npy(array["it"])
            whole = changed_parts | {"schema.json": json.dumps(tree).encode()}
            spoiled.reseal(copy, spoiled.MODEL, spoiled.pack(whole, spoiled.zipfile.ZIP_STORED))
            with contextlib.suppress(MirsadError):
                loaded, _ = store.load(copy)
                explain.explain(loaded, asked)
                compiled = loaded.compile()
                compiled.flags(compiled.ask(fields))

    return run


def _change_arrays(arrays: dict[str, np.ndarray], provider: atheris.FuzzedDataProvider) -> None:
    name = provider.PickValueInList(sorted(arrays))
    if name in ("page", "tfidf_meta") and provider.ConsumeBool():
        with contextlib.suppress(ValueError, TypeError):  # where an earlier change left no page of JSON
            page = json.loads(bytes(arrays[name]))
            _change_tree(page, provider)
            arrays[name] = np.frombuffer(json.dumps(page).encode(), np.uint8)
    elif provider.ConsumeIntInRange(0, 20) == 0:
        del arrays[name]
    else:
        _change_array(arrays, name, provider)


def _change_array(arrays: dict[str, np.ndarray], name: str, provider: atheris.FuzzedDataProvider) -> None:
    array = np.array(arrays[name])
    what = provider.ConsumeIntInRange(0, 9)
    if what == 0:
        kinds = ["u1", "i4", "i8", "u4", "u8", "f4", "f8", ">u8", "?", "c16", "U3"]
        with np.errstate(invalid="ignore"):
            array = array.astype(provider.PickValueInList(kinds))
    elif what == 1:
        array = array[: provider.ConsumeIntInRange(0, max(len(array), 1))] if array.ndim else array
    elif what == 2:
        array = array.reshape(-1) if array.ndim > 1 else array[:, None] if array.ndim else array
    elif what == 3:
        array = np.concatenate([array, array[-1:]]) if array.ndim else array
    elif array.size and array.dtype.kind in "fiu":
        flat = array.reshape(-1)
        for _ in range(provider.ConsumeIntInRange(1, 8)):
            at = provider.ConsumeIntInRange(0, flat.size - 1)
            if array.dtype.kind == "f":
                with np.errstate(over="ignore"):
                    flat[at] = provider.PickValueInList(
                        [0.0, -1.0, 1e300, -1e30, float("nan"), float("inf"), 1e-300, 7.5]
                    )
            else:
                info = np.iinfo(array.dtype)
                near = [info.min, info.max, 0, 1, 2, 1 << 26, 1 << 21, 1 << 32, len(flat), len(flat) - 1]
                value = (
                    provider.PickValueInList(near) if what % 2 else int(flat[at]) + provider.ConsumeIntInRange(-3, 3)
                )
                flat[at] = min(max(value, info.min), info.max)
    arrays[name] = array


def _change_tree(tree: object, provider: atheris.FuzzedDataProvider) -> None:
    """Put something else in some place of a page of JSON: a value, or a part from another place."""
    places: list[tuple[object, object]] = []
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, value in items:
            places.append((part, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    if not places:
        return
    holder, key = places[provider.ConsumeIntInRange(0, len(places) - 1)]
    other, its = places[provider.ConsumeIntInRange(0, len(places) - 1)]
    values = [
        None,
        True,
        0,
        -1,
        2**70,
        1e308,
        "",
        "x",
        "../x",
        [],
        {},
        [[]],
        float("nan"),
        json.loads(json.dumps(other[its])),
    ]
    what = provider.ConsumeIntInRange(0, len(values))
    if what == len(values):
        del holder[key]
    else:
        holder[key] = values[what]


def model_seeds() -> list[bytes]:
    return [np.random.default_rng(seed).bytes(60) for seed in range(200)]


TARGETS = {
    "readers": (readers, reader_seeds),
    "normalizer": (normalizer, normalizer_seeds),
    "config": (configs, config_seeds),
    "model": (models, model_seeds),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    folder = chosen.folder or Path(f"fuzz-{chosen.target}")
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    make, seeds = TARGETS[chosen.target]
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={chosen.minutes * 60:.0f}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}"]
    sizes = ["-max_len=20000", "-len_control=10", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *sizes, str(corpus)], make(Path(tempfile.mkdtemp())))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
