"""Ways to spoil a model folder, each with what must be said of it; the list that tests go through, and fuzzing mixes.

Changes of the first kind leave the seals of the manifest as they were, as damage does and whoever cannot write the
manifest. Those of the second kind renew them, as an attacker does who writes the whole folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

MANIFEST, SCORER, MODEL = "manifest.json", "scorer.npz", "model.skops"
JSON = dict[str, Any]


class Spoiled(NamedTuple):
    """A change of a folder; `file` tells which loader meets it, `says` is a part of what is said."""

    name: str
    file: str
    change: Callable[[Path], None]
    says: str


# ---------------------------------------------------------------------------------------------------------- tools


def edit_manifest(folder: Path, change: Callable[[JSON], object]) -> None:
    """Change the manifest; `change` works in place, or returns another one."""
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(change(manifest) or manifest))


def reseal(folder: Path, name: str, content: bytes) -> None:
    """Write a file, and its hash and size into the manifest."""
    (folder / name).write_bytes(content)
    seal = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    edit_manifest(folder, lambda manifest: manifest["files"].update({name: seal}))


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / SCORER) as arrays:
        return dict(arrays)


def edit_arrays(folder: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Change the scorer's arrays in place, and seal it again."""
    arrays = arrays_of(folder)
    change(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    reseal(folder, SCORER, buffer.getvalue())


def edit_page(folder: Path, name: str, change: Callable[[JSON], object]) -> None:
    """Change a page of JSON among the scorer's arrays ("page" or "tfidf_meta"), and seal it again."""

    def changed(arrays: dict[str, np.ndarray]) -> None:
        page = json.loads(bytes(arrays[name]))
        page = change(page) or page
        arrays[name] = np.frombuffer(json.dumps(page).encode(), np.uint8)

    edit_arrays(folder, changed)


def members(folder: Path, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / name) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def pack(parts: dict[str, bytes] | list[tuple[str, bytes]], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, content)
    return buffer.getvalue()


def edit_schema(folder: Path, change: Callable[[JSON], object]) -> None:
    """Change the schema of the skops file in place, and seal it again."""
    parts = members(folder, MODEL)
    schema = json.loads(parts["schema.json"])
    change(schema)
    reseal(folder, MODEL, pack(parts | {"schema.json": json.dumps(schema).encode()}))


def attributes(schema: JSON, *path: str) -> JSON:
    """The attributes of an object of a schema, by the names that lead to it."""
    found = schema["content"]["content"]
    for name in path:
        found = found[name]["content"]["content"]
    return found


def node(loader: str, module: str, name: str, **more: object) -> JSON:
    """A part of a schema."""
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": hash((loader, name))} | more


def text(content: object) -> JSON:
    return node("JsonNode", "builtins", "str", content=json.dumps(content), is_json=True, __id__=None)


class Touch:
    """What a pickle can do: here it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def array_file(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A .npy file with a header of one's own."""
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY" + version + len(padded).to_bytes(2, "little") + padded.encode() + data


# ------------------------------------------------------------------------------------------------------- unsealed


def _flipped(name: str, part: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[int(part * (len(content) - 1))] ^= 1 << int(part * 97) % 8
        (folder / name).write_bytes(content)

    return change


def _cut(name: str, part: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(part * len(content))])

    return change


def _swapped(folder: Path) -> None:
    one, other = (folder / SCORER).read_bytes(), (folder / MODEL).read_bytes()
    (folder / SCORER).write_bytes(other)
    (folder / MODEL).write_bytes(one)


def _unsealed() -> Iterator[Spoiled]:
    for name in (SCORER, MODEL):
        for part in (0.0, 0.13, 0.29, 0.41, 0.5, 0.67, 0.83, 0.97, 0.999, 1.0):
            yield Spoiled(f"one bit of {name} at {part:.1%}", name, _flipped(name, part), "was changed after training")
        for part in (0.0, 0.3, 0.999):
            yield Spoiled(f"{name} cut to {part:.1%}", name, _cut(name, part), "was changed after training")
        yield Spoiled(f"{name} with more at its end", name, partial(_longer, name=name), "are expected")
        yield Spoiled(f"{name} swapped", name, _swapped, "")
    yield Spoiled("a pickle instead of the scorer", SCORER, _pickled, "was changed after training")
    yield Spoiled("another weight", SCORER, _with_a_weight, "")


def _longer(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b"PK")


def _pickled(folder: Path) -> None:
    content = pickle.dumps(Touch(folder / "ran"))
    (folder / SCORER).write_bytes(content + bytes((folder / SCORER).stat().st_size - len(content)))


def _with_a_weight(folder: Path) -> None:
    arrays = arrays_of(folder)
    arrays["intercept"] += 1.0
    np.savez_compressed(folder / SCORER, **arrays)


# ------------------------------------------------------------------------------------------------------- manifest


def _manifest() -> Iterator[Spoiled]:
    def one(name: str, says: str, change: Callable[[JSON], object]) -> Spoiled:
        return Spoiled(f"manifest: {name}", SCORER, lambda folder: edit_manifest(folder, change), says)

    for name, content in (
        ("a list", "[]"),
        ("null", "null"),
        ("a text", '"format"'),
        ("nested", "[" * 100_000),
        ("5,000 digits", '{"format": ' + "9" * 5000 + "}"),
        ("not closed", '{"format": 1'),
    ):
        yield Spoiled(f"manifest: {name}", SCORER, partial(_write, name=MANIFEST, content=content), "cannot be read")
    yield Spoiled("manifest: 5 MB", SCORER, partial(_write, name=MANIFEST, content=" " * 5_000_000), "are expected")
    yield one("a newer format", "reads formats up to", lambda m: m.update(format=2))
    yield one("a format in words", "has format 'one'", lambda m: m.update(format="one"))
    yield one("no files", "it has no 'files'", lambda m: m.pop("files") and None)
    yield one("files as a list", "its 'files' is not", lambda m: m.update(files=[]))
    yield one("a name that is none", "its 'name' is not", lambda m: m.update(name={"a": 1}))
    yield one("heads as a number", "its 'heads' is not", lambda m: m.update(heads=3))
    yield one("the scorer is not sealed", "does not name scorer.npz", lambda m: m["files"].pop(SCORER) and None)
    yield one("a hash of another length", "without a SHA-256", lambda m: m["files"][SCORER].update(sha256="ab"))
    yield one("a hash that is a table", "without a SHA-256", lambda m: m["files"][SCORER].update(sha256={}))
    yield one("a size in words", "or a size", lambda m: m["files"][SCORER].update(bytes="all"))
    yield one("a size that is too small", "are expected", lambda m: m["files"][SCORER].update(bytes=10))
    yield one("a negative size", "are expected", lambda m: m["files"][SCORER].update(bytes=-1))


def _write(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)


# -------------------------------------------------------------------------------------------------- kinds of files


def _instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.rename(folder.parent / f"{folder.name}.{name}")
        make(path)

    return change


def _files() -> Iterator[Spoiled]:
    for name in (SCORER, MODEL, MANIFEST):
        loader = SCORER if name == MANIFEST else name
        link = _instead(name, lambda path: path.symlink_to(path.parent.parent / f"{path.parent.name}.{path.name}"))
        yield Spoiled(f"{name} is a link to its content", loader, link, "is a link, not a plain file")
        yield Spoiled(f"{name} is a pipe", loader, _instead(name, os.mkfifo), "is a device, not a plain file")
    yield Spoiled(
        "the scorer is a link to a device",
        SCORER,
        _instead(SCORER, lambda path: path.symlink_to("/dev/zero")),
        "is a link",
    )
    yield Spoiled("the scorer is a folder", SCORER, _instead(SCORER, Path.mkdir), "is a folder")
    yield Spoiled("the scorer is gone", SCORER, _instead(SCORER, lambda path: None), "No such file")


# ------------------------------------------------------------------------------------------------ sealed: archives


def _archives() -> Iterator[Spoiled]:
    def one(name: str, says: str, change: Callable[[dict[str, bytes]], bytes], file: str = SCORER) -> Spoiled:
        return Spoiled(f"archive: {name}", file, lambda f: reseal(f, file, change(members(f, file))), says)

    lied = "has another size than its header says"
    for name in ("../outside.npy", "/etc/outside.npy", "a\\b.npy", "a/../b.npy", "\x1b[2J"):
        yield one(f"a member called {name!r}", "has a member with the name", partial(_with_member, name=name))
    yield one("a member twice", "names a member twice", lambda p: _twice(p, "intercept.npy"))
    yield one("packed by LZMA", "packed in a way", lambda p: pack(p, zipfile.ZIP_LZMA))
    yield one("encrypted", "packed in a way", lambda p: _encrypted(pack(p, zipfile.ZIP_STORED)))
    yield one("a bomb", "times its size", lambda p: pack(p | {"more.json": bytes(100 << 20)}))
    yield one("20,000 members", "and 10,000 is the most", lambda p: pack([(f"m{i}", b"") for i in range(20_000)]))
    huge = array_file("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }")
    yield one("an array that claims 8 TB", lied, lambda p: pack(p | {"intercept.npy": huge}))
    negative = array_file("{'descr': '<f8', 'fortran_order': False, 'shape': (-8,), }")
    yield one("an array of negative length", "no array of numbers", lambda p: pack(p | {"intercept.npy": negative}))
    shape = array_file("{'descr': '<f8', 'fortran_order': False, 'shape': ('a',), }")
    yield one("an array of no shape", "is not a model file", lambda p: pack(p | {"intercept.npy": shape}))
    code = array_file("{'descr': __import__('os').mkdir('ran'), 'fortran_order': False, 'shape': (1,), }")
    yield one("code in an array's header", "is not a model file", lambda p: pack(p | {"intercept.npy": code}))
    deep = array_file("(" * 9000)
    yield one("a header that is nested", "is not a model file", lambda p: pack(p | {"intercept.npy": deep}))
    yield one("texts in an array", "no array of numbers", lambda p: pack(p | {"intercept.npy": npy(["a", "b"])}))
    yield one("an array cut short", lied, lambda p: pack(p | {"intercept.npy": p["intercept.npy"][:-3]}))
    objects = np.array([Touch(Path("ran"))], dtype=object)
    yield one("a pickle in an array", "no array of numbers", lambda p: pack(p | {"page.npy": npy(objects)}))
    yield one("a pickle among skops' arrays", "no array of numbers", lambda p: _first_array(p, npy(objects)), MODEL)
    yield one("nothing in it", "holds no model that can be used", lambda p: pack({}))
    yield one("skops in the scorer's place", "holds no model that can be used", lambda p: pack({"schema.json": b"{}"}))


def _with_member(parts: dict[str, bytes], name: str) -> bytes:
    return pack(parts | {name: b"x"})


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def _first_array(parts: dict[str, bytes], content: bytes) -> bytes:
    return pack(parts | {next(name for name in parts if name.endswith(".npy")): content})


def _twice(parts: dict[str, bytes], name: str) -> bytes:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pack([*parts.items(), (name, parts[name])])


def _encrypted(content: bytes) -> bytes:
    spoiled = bytearray(content)
    at = spoiled.find(b"PK\x01\x02")
    while at >= 0:
        spoiled[at + 8] |= 1
        at = spoiled.find(b"PK\x01\x02", at + 1)
    return bytes(spoiled)


# -------------------------------------------------------------------------------------------------- sealed: scorer


def put(name: str, value: object, *at: Any) -> Callable[[Path], None]:
    """Write a value into an array of the scorer; at taken slots where `at` is "taken"."""

    def change(arrays: dict[str, np.ndarray]) -> None:
        array = arrays[name] = arrays[name].copy()
        if at and at[0] == "taken":
            array[np.flatnonzero(array[:, at[2]])[0], at[1]] = value
        else:
            array[at if len(at) > 1 else at[0]] = value

    return lambda folder: edit_arrays(folder, change)


def _as(name: str, make: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    return lambda folder: edit_arrays(folder, lambda arrays: arrays.update({name: make(arrays[name])}))


def _scorer() -> Iterator[Spoiled]:
    def one(name: str, says: str, change: Callable[[Path], None]) -> Spoiled:
        return Spoiled(f"scorer: {name}", SCORER, change, says)

    far, column = np.uint64(1 << 62), "a column that there is not"
    yield one("an n-gram's column far away", column, put("tfidf_1.table", far, "taken", 1, 0))
    yield one("an n-gram's node far away", "a node", put("tfidf_1.table", np.uint64(0xFFFFFFFF), "taken", 1, 0))
    yield one("a word's number far away", "a word that there is not", put("tfidf_0.slots", far, "taken", 2, 1))
    yield one("a word's column far away", column, put("tfidf_0.word_columns", 2**31 - 1, 0))
    yield one("a word's column far below", column, put("tfidf_0.word_columns", -(2**31), 0))
    yield one("a word before the pool", "outside the pool", put("tfidf_0.spans", -9, 0, 0))
    yield one("a word behind the pool", "outside the pool", put("tfidf_0.spans", 1 << 60, 0, 1))
    yield one("a word across the sum", "outside the pool", put("tfidf_0.spans", 2**63 - 1, 0, slice(None)))
    yield one("a column of no block", "belongs to no block", put("tfidf_blocks", 7, 0))
    yield one("an expansion far away", "an expansion", put("tfidf_units", np.uint32(1 << 26 | 2_000_000), 65))
    yield one("a code that is none", "a code", put("tfidf_units", np.uint32(1 << 21), 65))
    yield one("a code that is too large", "a code", put("tfidf_units", np.uint32(1 << 21 | 4095), 65))
    yield one("an entry that is none", "an entry", put("tfidf_units", np.uint32(1 << 31), 65))
    full = np.uint64(5)
    yield one("a table without an end", "is full", put("tfidf_1.table", full, slice(None), 0))
    yield one("a table that is too full", "is too full", put("tfidf_1.table", full, slice(1, None), 0))
    yield one("words without an end", "is full", put("tfidf_0.slots", full, slice(None), 1))
    yield one("a table of 100 slots", "has 100 slots", _as("tfidf_1.table", lambda a: a[:100]))
    yield one("a table of no slots", "has 0 slots", _as("tfidf_1.table", lambda a: a[:0]))
    yield one("a table of three columns", "has the shape", _as("tfidf_1.table", lambda a: np.c_[a, a[:, :1]]))
    yield one("a table of signed numbers", "is no array of uint64", _as("tfidf_1.table", lambda a: a.view(np.int64)))
    yield one("a table in another byte order", "is no array", _as("tfidf_1.table", lambda a: a.astype(">u8")))
    yield one("units that end early", "units has the shape", _as("tfidf_units", lambda a: a[:1000]))
    yield one("expansions of two", "expansions has the shape", _as("tfidf_expansions", lambda a: a[:, :2]))
    yield one("fewer weights than columns", "coef has the shape", _as("tfidf_coef", lambda a: a[:-1]))
    yield one("weights of one dimension", "coef has no outputs", _as("tfidf_coef", lambda a: a[:, 0]))
    yield one("weights of another type", "coef is no array of float32", _as("tfidf_coef", lambda a: a.astype(float)))
    yield one("an output too few", "other outputs", _as("tfidf_coef", lambda a: a[:, :-1].copy()))
    yield one("a weight that is no number", "no number", put("tfidf_coef", np.nan, 3, 0))
    yield one("an endless weight", "no number", put("tfidf_coef", np.inf, 3, 0))
    yield one("an endless intercept", "no number", put("intercept", -np.inf, 0))
    yield one("an intercept too few", "intercept has the shape", _as("intercept", lambda a: a[:-1]))
    yield one("listed terms without weights", "weights of listed terms", _as("lexical_0", lambda a: a[:-1]))
    yield one("an array too few", "other arrays", lambda f: edit_arrays(f, lambda a: a.pop("tfidf_0.pool") is None))
    yield one("no page", "KeyError", lambda f: edit_arrays(f, lambda a: a.pop("page") is None))

    def page(name: str, says: str, change: Callable[[JSON], object]) -> Spoiled:
        return one(f"page: {name}", says, lambda folder: edit_page(folder, "page", change))

    yield page("a list", "holds no model", lambda p: [1])
    yield page("no heads", "it has no heads", lambda p: p.update(rules=[]))
    yield page("a head with a foreign key", "unexpected keyword", lambda p: p["rules"][0].update(run="os.system"))
    yield page("a head of another kind", "is of the kind", lambda p: p["rules"][0].update(kind="regression"))
    yield page("a head without labels", "labels of", lambda p: p["rules"][0].update(labels=[]))
    yield page("labels that are numbers", "no list of texts", lambda p: p["rules"][0].update(labels=[1, 2]))
    yield page("a head with a name of a path", "a head is called", lambda p: p["rules"][0].update(name="../x"))
    yield page("two heads of one name", "one name", lambda p: p["rules"][1].update(name=p["rules"][0]["name"]))
    yield page("a threshold too few", "thresholds of", lambda p: p["rules"][0].update(thresholds=[0.5]))
    yield page("a threshold of 7", "no share", lambda p: p["rules"][0].update(thresholds=[0.5, 7.0]))
    yield page("a default that is no label", "default of", lambda p: p["rules"][1].update(default="sport"))
    yield page(
        "curves of another head",
        "is a Sigmoid",
        lambda p: p["rules"][1].update(calibration=p["rules"][0]["calibration"]),
    )
    yield page("curves too few", "calibration of", lambda p: p["rules"][0]["calibration"].update(slope=[1.0]))
    yield page("a normalization that is none", "unknown normalization", lambda p: p.update(normalization=["rot13"]))
    yield page("terms that are numbers", "holds no model", lambda p: p["lexical"][0].update(terms={"a/b": [1]}))
    yield page("a target without sides", "at least one side", lambda p: p["lexical"][1].update(sides={"both/x": ["x"]}))
    yield page("terms of emoji", "are too many", lambda p: _first_terms(p).append("\U0001f600"))
    yield page("familiar from a text", "no share", lambda p: p.update(familiar_from="always"))

    def meta(name: str, says: str, change: Callable[[JSON], object]) -> Spoiled:
        return one(f"meta: {name}", says, lambda folder: edit_page(folder, "tfidf_meta", change))

    yield meta("n-grams of 0", "n-grams of 0", lambda m: m["analyses"][1].update(low=0))
    yield meta("n-grams of a million", "n-grams of", lambda m: m["analyses"][1].update(high=1_000_000))
    yield meta("a field far away", "unknown fields", lambda m: m["analyses"][0].update(fields=[0, 99]))
    yield meta("no texts", "differ in length", lambda m: m.update(sources=[], wholes=[]))
    yield meta("a source far away", "an unknown field", lambda m: m.update(sources=[[9]] * len(m["sources"])))
    yield meta("an unknown norm", "an unknown norm", lambda m: m.update(norms=["l9"] * len(m["norms"])))
    yield meta("a way of counting that is none", "way of counting", lambda m: m.update(counting=[9, 9]))
    yield meta("another normalization", "normalization is another", lambda m: m.update(steps=["unicode"]))
    yield meta("a newer format", "a scorer of format 9", lambda m: m.update(format=9))


def _first_terms(page: JSON) -> list[str]:
    return next(iter(page["lexical"][0]["terms"].values()))


# --------------------------------------------------------------------------------------------------- sealed: skops


def _vectorizer(schema: JSON, number: int = 0) -> JSON:
    block = attributes(schema, "featurizer", "tfidf")["blocks_"]["content"][number]
    return block["content"][2]["content"]["content"]


def _array(folder: Path, find: Callable[[JSON], JSON], make: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change an array of the skops file, and seal it again."""
    parts = members(folder, MODEL)
    name = find(json.loads(parts["schema.json"]))["file"]
    parts[name] = npy(make(np.load(io.BytesIO(parts[name]))))
    reseal(folder, MODEL, pack(parts))


def _shared(schema: JSON) -> None:
    """Lists of lists of lists, each twice in the next: small to write, endless to look through."""
    inner = text("x")
    for level in range(40):
        again = {"__loader__": "ListNode", "__module__": "builtins", "__class__": "list", "__id__": f"level {level}"}
        inner = again | {"content": [inner, {**inner, "content": []} if inner.get("__id__") else inner]}
    attributes(schema)["familiar_from"] = inner


def _skops() -> Iterator[Spoiled]:
    def one(name: str, says: str, change: Callable[[JSON], object]) -> Spoiled:
        return Spoiled(f"skops: {name}", MODEL, lambda folder: edit_schema(folder, change), says)

    def foreign(name: str, says: str, part: JSON) -> Spoiled:
        return one(name, f"not trusted: {says}", lambda schema: attributes(schema).update(familiar_from=part))

    touch = node("TupleNode", "builtins", "tuple", content=[text("ran")])
    function = node("FunctionNode", "os", "mkdir")
    yield foreign("a function", "os.mkdir", function)
    yield foreign("a type", "os.PathLike", node("TypeNode", "os", "PathLike"))
    yield foreign("an object", "subprocess.Popen", node("ObjectNode", "subprocess", "Popen", content=touch))
    made = node("ConstructorFromReduceNode", "pathlib", "Path", content=touch)
    yield foreign("a constructor", "pathlib.Path", made)
    parts = {"func": function, "args": touch, "kwds": text({}), "namespace": text({})}
    yield foreign("a prepared call", "", node("PartialNode", "functools", "partial", content=parts))
    called = node("OperatorFuncNode", "operator", "methodcaller", attrs=touch)
    yield foreign("an operator", "operator.methodcaller", called)
    own = node("ObjectNode", "pipeline.heads", "Head")
    method = node("MethodNode", "pipeline.heads", "Head", content={"func": "decide", "obj": own})
    yield foreign("a method of one's own type", "pipeline.heads.Head (MethodNode)", method)
    yield foreign("what skops trusts itself", "sklearn", node("ObjectNode", "sklearn.svm._classes", "SVC"))
    yield foreign(
        "a random state", "numpy.random", node("RandomStateNode", "numpy.random", "RandomState", content=text(1))
    )
    objects = node("NdArrayNode", "numpy", "ndarray", type="json", content=[function], shape=touch)
    yield foreign("an array of objects", "numpy.ndarray of objects", objects)
    yield foreign("a loader that is none", "builtins.str (Unheard)", node("Unheard", "builtins", "str"))
    yield foreign("bytes", "builtins.bytes", node("BytesNode", "builtins", "bytes", file="schema.json"))
    yield one("parts that are shared without end", "under one number", _shared)
    cycle = node("ListNode", "builtins", "list", __id__="me", content=[])
    cycle["content"] = [{**cycle, "content": []}]
    yield one("a list in itself", "under one number", lambda s: attributes(s).update(familiar_from=cycle))
    yield one("no loader", "holds no model", lambda s: s.pop("__loader__") and None)
    deep = text(0.0) | {"content": "[" * 100_000}
    yield one("a text that is nested", "holds no model", lambda s: attributes(s).update(familiar_from=deep))
    yield one("a part is missing", "other parts", lambda s: attributes(s).pop("heads"))
    yield one("a part lies over a method", "holds no model", lambda s: _shadow(s, "matrix"))
    yield one("a text for the heads", "holds no model", lambda s: attributes(s).update(heads=text({"a": 1})))
    yield one("a text for the features", "holds no model", lambda s: attributes(s).update(featurizer=text("x")))
    yield one("a text for a share", "no share", lambda s: attributes(s).update(familiar_from=text("x")))
    yield one("not a model", "not a model", lambda s: s.update(text({"a": 1})))

    def of_words(name: str, says: str, key: str, make: Callable[[np.ndarray], np.ndarray]) -> Spoiled:
        return Spoiled(f"skops: {name}", MODEL, lambda f: _array(f, lambda s: _vectorizer(s)[key], make), says)

    differ = "vocabulary and its lengths differ"
    yield of_words("lengths that run out of the text", differ, "term_lengths_", lambda a: a + 1000)
    yield of_words("negative lengths", differ, "term_lengths_", lambda a: -a)
    yield of_words("lengths of another type", "no array of int32", "term_lengths_", lambda a: a.astype(np.int64))
    yield of_words("a vocabulary of blanks", "vocabulary", "terms_", lambda a: np.full(len(a), 32, np.uint8))
    yield of_words("a vocabulary that is no text", "holds no model", "terms_", lambda a: np.full(len(a), 255, np.uint8))
    yield of_words("frequencies that are no numbers", "no number", "_idf", lambda a: a * np.nan)

    def of_topics(name: str, says: str, make: Callable[[np.ndarray], np.ndarray]) -> Spoiled:
        return Spoiled(f"skops: {name}", MODEL, lambda f: _array(f, _weights_of_topics, make), says)

    yield of_topics("weights too few", "has the shape", lambda a: a[:, :-1])
    yield of_topics("weights that are no numbers", "no number", lambda a: a * np.float32("nan"))


def _weights_of_topics(schema: JSON) -> JSON:
    head = attributes(schema)["heads"]["content"]["topics"]["content"]["content"]
    return head["linear"]["content"]["content"]["coef"]


def _shadow(schema: JSON, name: str) -> None:
    attributes(schema)[name] = text("x")
    schema["content"]["key_types"]["content"].append(node("TypeNode", "builtins", "str", __id__=None))


SPOILED = [*_unsealed(), *_manifest(), *_files(), *_archives(), *_scorer(), *_skops()]
"""Every way, by name."""
