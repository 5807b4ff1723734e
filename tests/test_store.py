"""Model folders: what goes in comes out, and nothing else does."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io

from pipeline import config as configs
from pipeline import sealed, store
from pipeline.articles import read, split_fields
from pipeline.errors import ModelError


@pytest.fixture
def copy(tiny, tmp_path) -> Path:
    """A copy of the tiny model that may be spoiled."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "models" / "copy"))


def reseal(folder: Path, name: str, content: bytes) -> None:
    """Write a file and its SHA-256: what only somebody who means harm would do."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def fields(tiny):
    return split_fields([article for batch in read(tiny.articles) for article in batch])


def test_the_compiled_model_answers_as_the_whole_one(tiny):
    """Its weights are single precision, for speed: a decision value keeps about seven digits."""
    model, manifest = store.load(tiny.folder)
    scorer, same = store.load_scorer(tiny.folder)
    assert manifest == same
    texts = fields(tiny)
    answers, decisions = scorer.ask(texts), model.decisions(model.matrix(texts))
    for name, head in model.heads.items():
        np.testing.assert_allclose(answers.decisions[name], decisions[name], atol=1e-6)
        p = head.probabilities(decisions[name])
        np.testing.assert_allclose(answers.probabilities[name], p, atol=1e-6)
        assert (answers.decided[name] == head.decide(p)).all()


def test_a_loaded_model_is_the_trained_one(tiny):
    texts = fields(tiny)
    model = store.load(tiny.folder)[0]
    trained = tiny.trained.model
    assert model.familiar_from == trained.familiar_from
    found, expected = model.decisions(model.matrix(texts)), trained.decisions(trained.matrix(texts))
    for name in model.heads:
        np.testing.assert_array_equal(found[name], expected[name])


def test_the_manifest_says_what_the_model_is(tiny):
    manifest = store.read_manifest(tiny.folder)
    assert manifest["format"] == store.FORMAT
    assert manifest["heads"]["topics"]["labels"] == ["syria", "ukraine"]
    assert manifest["heads"]["stance"]["target"] == "engagement between Washington and Moscow"
    assert manifest["data"]["articles"] == len(tiny.rows())
    assert manifest["data"]["sha256"] == tiny.trained.data.digest
    assert manifest["config"]["output"]["name"] == "tiny"
    for name, seal in manifest["files"].items():
        content = (tiny.folder / name).read_bytes()
        assert seal == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert store.short_name(manifest) == f"tiny@{manifest['files']['scorer.npz']['sha256'][:8]}"


def test_nothing_else_is_left_beside_it(tiny):
    assert [path.name for path in tiny.folder.parent.iterdir()] == ["tiny"]
    assert {path.name for path in tiny.folder.iterdir()} == {
        "manifest.json",
        "metrics.json",
        "model.skops",
        "scorer.npz",
        "report",
    }


LOADERS = {"model.skops": store.load, "scorer.npz": store.load_scorer}


def refused(load, folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(folder)
    return str(caught.value)


@pytest.mark.parametrize("name", LOADERS)
class TestDamage:
    def test_one_byte(self, copy, name):
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        said = refused(LOADERS[name], copy)
        assert said.startswith(f"{copy / name}: was changed after training: its SHA-256 is ")
        assert "train the model again" in said

    @pytest.mark.parametrize("left", [0, 100, -1])
    def test_cut_short(self, copy, name, left):
        (copy / name).write_bytes((copy / name).read_bytes()[:left])
        assert "was changed after training" in refused(LOADERS[name], copy)

    def test_gone(self, copy, name):
        (copy / name).unlink()
        assert "cannot be read: No such file" in refused(LOADERS[name], copy)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no archive", b"\x80\x04."])
    def test_no_archive_though_sealed(self, copy, name, content):
        reseal(copy, name, content)
        assert "is not a model file" in refused(LOADERS[name], copy)

    def test_cut_short_and_sealed(self, copy, name):
        reseal(copy, name, (copy / name).read_bytes()[:-300])
        assert "is not a model file" in refused(LOADERS[name], copy)

    def test_an_archive_of_something_else_though_sealed(self, copy, name):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("schema.json", "{}")
            archive.writestr("page.json", "{}")
        reseal(copy, name, buffer.getvalue())
        assert "holds no model that can be used" in refused(LOADERS[name], copy)

    def test_spoiled_inside_though_sealed(self, copy, name):
        """A byte in the middle of a packed member: its checksum fails."""
        content = bytearray((copy / name).read_bytes())
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            member = max(archive.infolist(), key=lambda info: info.compress_size)
        content[member.header_offset + 60 + member.compress_size // 2] ^= 0xFF
        reseal(copy, name, bytes(content))
        assert "holds no model that can be used" in refused(LOADERS[name], copy)

    def test_an_archive_that_unpacks_without_end(self, copy, name, monkeypatch):
        monkeypatch.setattr(sealed, "MAX_UNPACKED", 1 << 20)
        with zipfile.ZipFile(copy / name, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("more.json", bytes(1 << 20))
        reseal(copy, name, (copy / name).read_bytes())
        assert "and 1,048,576 is the most" in refused(LOADERS[name], copy)


class TestManifest:
    def test_a_newer_format(self, copy):
        manifest = json.loads((copy / "manifest.json").read_text())
        (copy / "manifest.json").write_text(json.dumps(manifest | {"format": store.FORMAT + 1}))
        for load in LOADERS.values():
            said = refused(load, copy)
            assert "has format 2, and this version of mirsad reads formats up to 1" in said
            assert "Install a newer mirsad" in said

    @pytest.mark.parametrize("number", ["1", None, 0, -3, 1.5, True, [1]])
    def test_no_format_at_all(self, copy, number):
        manifest = json.loads((copy / "manifest.json").read_text())
        (copy / "manifest.json").write_text(json.dumps(manifest | {"format": number}))
        assert "has format" in refused(store.read_manifest, copy)

    @pytest.mark.parametrize("content", ["", "{", "[]", "7", '"format"', "null", "{}", "[" * 100_000])
    def test_no_manifest_in_it(self, copy, content):
        (copy / "manifest.json").write_text(content)
        assert "manifest.json: cannot be read" in refused(store.read_manifest, copy)

    @pytest.mark.parametrize("key", ["name", "files", "config", "data", "heads"])
    def test_a_part_is_missing(self, copy, key):
        manifest = json.loads((copy / "manifest.json").read_text())
        del manifest[key]
        (copy / "manifest.json").write_text(json.dumps(manifest))
        assert "cannot be read" in refused(store.load_scorer, copy)

    def test_a_file_is_not_sealed(self, copy):
        manifest = json.loads((copy / "manifest.json").read_text())
        del manifest["files"]["model.skops"]
        (copy / "manifest.json").write_text(json.dumps(manifest))
        assert "does not name model.skops" in refused(store.load, copy)

    def test_no_model_names_those_beside_it(self, copy):
        assert f"There is: {copy}" in refused(store.load, copy.parent / "other")

    def test_no_model_anywhere(self, tmp_path):
        assert "Train one with: mirsad train" in refused(store.load, tmp_path / "a" / "b")


class TestForeignTypes:
    def test_a_type_that_is_not_trusted_is_named_and_not_built(self, copy):
        built = []

        class Trap:
            def __init__(self) -> None:
                self.x = 1

            def __setstate__(self, state: object) -> None:
                built.append(state)

        Trap.__module__, Trap.__qualname__ = "elsewhere.trap", "Trap"
        reseal(copy, "model.skops", skops.io.dumps(Trap()))
        said = refused(store.load, copy)
        assert "holds types that are not trusted: elsewhere.trap.Trap" in said
        assert "Do not use this file" in said
        assert not built

    def test_a_trusted_type_that_is_no_model(self, copy):
        reseal(copy, "model.skops", skops.io.dumps({"a": 1}))
        assert "it is a dict, not a model" in refused(store.load, copy)

    def test_a_pickle_in_the_arrays(self, copy):
        buffer = io.BytesIO()
        np.savez(buffer, page=np.array([{"a": 1}], dtype=object))
        reseal(copy, "scorer.npz", buffer.getvalue())
        assert "page.npy is no array of numbers" in refused(store.load_scorer, copy)


class TestSaving:
    def save(self, tiny, folder: Path, metrics: dict | None = None) -> Path:
        it = tiny.trained
        return store.save(it.model, folder, configs.load(tiny.config), it.data, metrics or it.metrics)

    def test_an_older_model_of_the_name_is_replaced(self, tiny, copy):
        (copy / "left.txt").write_text("x")
        self.save(tiny, copy)
        assert not (copy / "left.txt").exists()
        assert store.load(copy)[1]["name"] == "copy"
        assert [path.name for path in copy.parent.iterdir()] == ["copy"]

    def test_a_failure_leaves_the_older_one(self, tiny, copy):
        before = (copy / "manifest.json").read_bytes()
        with pytest.raises(ValueError, match="Out of range float"):
            self.save(tiny, copy, metrics={"f1": float("nan")})
        assert (copy / "manifest.json").read_bytes() == before
        assert [path.name for path in copy.parent.iterdir()] == ["copy"]

    def test_a_folder_that_is_no_model_is_never_replaced(self, tiny, tmp_path):
        (tmp_path / "articles").mkdir()
        (tmp_path / "articles" / "mine.txt").write_text("x")
        with pytest.raises(ModelError, match="holds something else than a model"):
            self.save(tiny, tmp_path / "articles")
        assert (tmp_path / "articles" / "mine.txt").read_text() == "x"

    def test_a_file_in_the_way(self, tiny, tmp_path):
        (tmp_path / "file").write_text("x")
        for folder in (tmp_path / "file", tmp_path / "file" / "model"):
            with pytest.raises(ModelError, match=r"cannot be written|holds something else"):
                self.save(tiny, folder)
        assert (tmp_path / "file").read_text() == "x"
