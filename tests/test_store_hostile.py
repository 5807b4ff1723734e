"""Model folders of a stranger: changed in more than a hundred ways, and none loads, runs anything, or crashes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from spoiled import MANIFEST, MODEL, SCORER, SPOILED, Spoiled, edit_arrays, edit_manifest, edit_page

from pipeline import store
from pipeline.articles import read, split_fields
from pipeline.errors import ModelError

LOADERS = {SCORER: store.load_scorer, MODEL: store.load}
_RUNS = ("os.system", "os.exec", "os.posix_spawn", "os.mkdir", "subprocess.Popen", "pickle.find_class", "socket.")


class Watch:
    """What the interpreter was asked to do that reading a model has no need of."""

    def __init__(self) -> None:
        self.on, self.seen = False, list[str]()
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and event.startswith(_RUNS):
            self.seen.append(f"{event} {arguments}")


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def warm(tiny):
    """The libraries imported, so that what is seen later is the model's doing."""
    store.load(tiny.folder)
    store.load_scorer(tiny.folder)


@pytest.fixture
def copy(tiny, tmp_path) -> Path:
    return Path(shutil.copytree(tiny.folder, tmp_path / "models" / "copy", ignore=shutil.ignore_patterns("report")))


def fields(tiny):
    return split_fields([article for batch in read(tiny.articles) for article in batch])


def test_there_are_more_than_a_hundred_and_each_is_another():
    assert len(SPOILED) > 100
    assert len({spoiled.name for spoiled in SPOILED}) == len(SPOILED)


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda spoiled: spoiled.name)
def test_each_is_refused_and_says_why(copy, watch, warm, monkeypatch, spoiled: Spoiled):
    monkeypatch.chdir(copy.parent)  # where a payload would leave its mark
    spoiled.change(copy)
    watch.on, watch.seen = True, []
    try:
        with pytest.raises(ModelError) as refused:
            LOADERS[spoiled.file](copy)
    finally:
        watch.on = False
    said = str(refused.value)
    assert watch.seen == []
    assert not Path("ran").exists()
    assert not (copy / "ran").exists()
    assert spoiled.says in said
    assert str(copy) in said
    assert refused.value.hint


def test_the_watch_sees_what_it_should(watch, tmp_path):
    watch.on, watch.seen = True, []
    (tmp_path / "made").mkdir()
    watch.on = False
    assert watch.seen[0].startswith("os.mkdir")


@pytest.mark.parametrize("seed", range(60))
def test_a_flip_anywhere_is_refused_or_changes_no_answer(copy, tiny, seed):
    """The manifest is not sealed itself: what it says of the heads is for people, and answers do not depend on it."""
    rng = np.random.default_rng(seed)
    path = copy / (MANIFEST, SCORER, MANIFEST)[seed % 3]
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)
    try:
        found = store.load_scorer(copy)[0].ask(fields(tiny))
    except ModelError:
        return
    expected = store.load_scorer(tiny.folder)[0].ask(fields(tiny))
    for name in expected.decided:
        np.testing.assert_array_equal(found.probabilities[name], expected.probabilities[name])
        np.testing.assert_array_equal(found.decided[name], expected.decided[name])


class TestWhatNoSealTells:
    """Who writes the whole folder can write another model; the rows say so by another name, nothing else can."""

    def test_another_weight_is_another_model(self, copy, tiny):
        edit_arrays(copy, lambda arrays: arrays["intercept"].__iadd__(50.0))
        scorer, manifest = store.load_scorer(copy)
        assert scorer.ask(fields(tiny)).decided["topics"].all()
        assert store.short_name(manifest) != store.short_name(store.read_manifest(tiny.folder))

    def test_another_label_too(self, copy):
        edit_page(copy, "page", lambda page: page["rules"][0].update(labels=["one", "two"]))
        assert store.load_scorer(copy)[0].rules[0].labels == ["one", "two"]


def test_a_name_with_escapes_reaches_no_terminal_raw(copy):
    edit_manifest(copy, lambda manifest: manifest.update(name="\x1b[31mred", format=7))
    with pytest.raises(ModelError) as refused:
        store.load_scorer(copy)
    assert "\x1b" not in str(refused.value)


def test_results_are_not_written_through_a_link_in_the_folder(copy, tiny, tmp_path):
    from pipeline.evaluate import evaluate_files

    (tmp_path / "mine").mkdir()
    (copy / "evaluation").symlink_to(tmp_path / "mine")
    with pytest.raises(ModelError, match="evaluation: is a link, and results would be written through it"):
        evaluate_files([str(tiny.articles)], copy)
    assert list((tmp_path / "mine").iterdir()) == []
