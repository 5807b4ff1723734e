"""Model folders: what training leaves, audited before anything in it is used.

A folder holds `model.skops` (features and heads, for evaluation, explanations and notebooks), `scorer.npz` (the same
model compiled to flat arrays, for prediction), `manifest.json`, `metrics.json` and `report/`.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import __version__, sealed
from pipeline.errors import MirsadError, ModelError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.dataset import Dataset
    from pipeline.model import Model
    from pipeline.scoring import Scorer

FORMAT = 1
MODEL, SCORER, MANIFEST, METRICS = "model.skops", "scorer.npz", "manifest.json", "metrics.json"
MAX_MANIFEST = 4 << 20
"""Bytes of a manifest; a label takes about a hundred."""

TRUSTED = [
    "pipeline.calibration.Isotonic",
    "pipeline.calibration.MatrixScaling",
    "pipeline.calibration.Sigmoid",
    "pipeline.estimators.Linear",
    "pipeline.heads.Head",
    "pipeline.model.Model",
    "pipeline.features.blocks.TfidfBlocks",
    "pipeline.features.featurizer.Featurizer",
    "pipeline.features.lexicon.Lexicon",
    "pipeline.features.pair.PairBlock",
    "pipeline.features.sentences.SentencesBlock",
    "pipeline.features.target.TargetBlock",
    "pipeline.features.terms.TermsBlock",
    "pipeline.features.tfidf.ArabicTfidfVectorizer",
]
"""The project's own types that a model file may hold; beside them numbers, texts, lists, tables and arrays."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "numba", "skops", "camel-tools")


def save(
    model: Model,
    folder: str | Path,
    config: Config,
    data: Dataset,
    metrics: dict[str, Any],
    *,
    report: dict[str, Any] | None = None,
) -> Path:
    """Write a model folder, whole or not at all; one of the same name is replaced.

    Parameters
    ----------
    model : Model
    folder : str or Path
    config : Config
    data : Dataset
        What it was trained on, for the manifest.
    metrics : dict
    report : dict, optional
        As `report.summary.summarize` makes it.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        As `check_place`, or where the disk is full.
    """
    import skops.io

    folder = check_place(folder)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        skops.io.dump(model, temporary / MODEL, compression=zipfile.ZIP_DEFLATED)
        np.savez_compressed(temporary / SCORER, **model.compile().state())  # type: ignore[arg-type]
        (temporary / METRICS).write_text(dump_json(metrics), encoding="utf-8")
        sealed = (MODEL, SCORER, METRICS)
        manifest = {
            "format": FORMAT,
            "name": folder.name,
            "files": {
                name: {"sha256": _sha256((temporary / name).read_bytes()), "bytes": (temporary / name).stat().st_size}
                for name in sealed
            },
            "heads": {
                name: {
                    "kind": head.kind,
                    "labels": head.labels,
                    "target": config.heads[name].target,
                    "by": head.by,
                    "chosen": head.chosen,
                    "thresholds": head.thresholds,
                }
                for name, head in model.heads.items()
            },
            "normalization": model.featurizer.version,
            "data": {
                "articles": len(data),
                "sha256": data.digest,
                "sources": data.table["origin"].value_counts().to_dict(),
            },
            "config": config.model_dump(mode="json"),
            "versions": {"mirsad": __version__, "python": sys.version.split()[0]}
            | {package: version(package) for package in _PACKAGES},
        }
        (temporary / MANIFEST).write_text(dump_json(manifest), encoding="utf-8")
        if report is not None:
            from pipeline.report import page

            page.write(temporary / "report", report)
        temporary.chmod(0o755)
        replace_folder(temporary, folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise ModelError(f"cannot be written: {error.strerror or error}", where=str(folder)) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def check_place(folder: str | Path) -> Path:
    """Make sure that a model can be written to a folder, before the work that leads to it.

    Raises
    ------
    ModelError
        Where the folder holds something else than a model, which would be lost, or cannot be made.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / MANIFEST).is_file() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ModelError(
            "holds something else than a model, and would be replaced",
            where=str(folder),
            hint="Choose another name or folder in [output].",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent)).rmdir()
    except OSError as error:
        raise ModelError(
            f"cannot be written: {error.strerror}", where=str(folder), hint="Choose another [output] folder."
        ) from error
    return folder


def replace_folder(new: Path, folder: Path) -> None:
    """Give a finished folder its final name; what bore that name before goes only after the new one stands."""
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
        folder.replace(old / "folder")
    new.replace(folder)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a model folder, checked for its format.

    Raises
    ------
    ModelError
        Where there is no model, or one that this version does not read.
    """
    path = Path(folder) / MANIFEST
    hint = "Train the model again, or fetch it again."
    try:
        manifest = json.loads(sealed.read_file(path, MAX_MANIFEST))
        number = manifest["format"]
    except FileNotFoundError:
        raise ModelError(
            "is no model folder: it has no manifest.json", where=str(folder), hint=_models_beside(Path(folder))
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"cannot be read: {_told(error)}", where=str(path), hint=hint) from None
    if type(number) is not int or not 1 <= number <= FORMAT:
        raise ModelError(
            f"has format {number!r}, and this version of mirsad reads formats up to {FORMAT}",
            where=str(path),
            hint="Install a newer mirsad.",
        )
    fault = _fault(manifest)
    if fault:
        raise ModelError(f"cannot be read: {fault}", where=str(path), hint=hint)
    return dict(manifest)


def _fault(manifest: dict[str, Any]) -> str | None:
    """What a manifest lacks, or has of another kind than a manifest."""
    for key, kind in (("name", str), ("files", dict), ("heads", dict), ("data", dict), ("config", dict)):
        if not isinstance(manifest.get(key), kind):
            return f"its {key!r} is not what it should be" if key in manifest else f"it has no {key!r}"
    for name, seal in manifest["files"].items():
        size = seal.get("bytes") if isinstance(seal, dict) else None
        if type(size) is not int or not _SHA256.fullmatch(str(seal.get("sha256"))):
            return f"it seals {name!r} without a SHA-256 or a size"
    return f"it does not name {SCORER}" if SCORER not in manifest["files"] else None


def short_name(manifest: dict[str, Any]) -> str:
    """`name@short-hash`: which model gave an answer."""
    return f"{manifest['name']}@{manifest['files'][SCORER]['sha256'][:8]}"


def load_scorer(folder: str | Path) -> tuple[Scorer, dict[str, Any]]:
    """The compiled model of a folder, and its manifest. Raises ModelError as `load`."""
    from pipeline.audit import check_scorer
    from pipeline.scoring import Scorer

    manifest = read_manifest(folder)
    with _refusing(Path(folder) / SCORER):
        with np.load(io.BytesIO(_sealed(Path(folder), SCORER, manifest)), allow_pickle=False) as arrays:
            scorer = Scorer.from_state(dict(arrays))
        check_scorer(scorer)
    return scorer, manifest


def packed(folder: str | Path, *, explain: bool = False) -> dict[str, bytes]:
    """The files of a folder that predicting needs, by name, to be sent elsewhere. Raises ModelError as `load`.

    Parameters
    ----------
    folder : str or Path
    explain : bool
        Whether that which explaining needs is among them.
    """
    manifest = read_manifest(folder)
    file = MODEL if explain else SCORER
    return {MANIFEST: dump_json(manifest).encode(), file: _sealed(Path(folder), file, manifest)}


def load(folder: str | Path) -> tuple[Model, dict[str, Any]]:
    """The model of a folder, and its manifest.

    Nothing is built before the audit: the format number, the size and SHA-256 of the file, what it unpacks to, and
    every type named in it. What was built is no model before its parts fit each other.

    Raises
    ------
    ModelError
        Where one of them is not as it should be.
    """
    import skops.io

    from pipeline.audit import check_model
    from pipeline.model import Model

    manifest = read_manifest(folder)
    where = Path(folder) / MODEL
    with _refusing(where):
        content = _sealed(Path(folder), MODEL, manifest)
        unknown = sealed.check_schema(content, frozenset(TRUSTED)) or set(skops.io.get_untrusted_types(data=content))
        if unknown - set(TRUSTED):
            raise ModelError(
                f"holds types that are not trusted: {', '.join(sorted(unknown - set(TRUSTED))[:5])}",
                where=str(where),
                hint="Do not use this file; it was not made by mirsad train.",
            )
        model = skops.io.loads(content, trusted=TRUSTED)
        if not isinstance(model, Model):
            raise ValueError(f"it is a {type(model).__name__}, not a model")
        check_model(model)
    return model, manifest


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Refuse a file whose reading fails, however it does: it is sealed and yet no model, and may raise anything."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"holds no model that can be used: {_told(error)}",
            where=str(path),
            hint="Train the model again, or fetch it again.",
        ) from error


def _told(error: Exception) -> str:
    """What an error says, with its kind where it says little else."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    plain = isinstance(error, MirsadError | ValueError)
    return str(error) if plain else f"{type(error).__name__} {error}"


def dump_json(value: Any) -> str:
    """JSON that a person can read and that is the same for the same value."""
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _sealed(folder: Path, name: str, manifest: dict[str, Any]) -> bytes:
    """The bytes of an archive of the folder, if they are those that the manifest seals and it is made as models are."""
    path = folder / name
    hint = "The folder is damaged or was changed by hand: train the model again, or fetch it again."
    seal = manifest["files"].get(name)
    if seal is None:
        raise ModelError(f"does not name {name}", where=str(folder / MANIFEST), hint=hint)
    try:
        content = sealed.read_file(path, min(seal["bytes"], sealed.MAX_UNPACKED))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read: {_told(error)}", where=str(path), hint=hint) from None
    found = _sha256(content)
    if found != seal["sha256"]:
        raise ModelError(
            f"was changed after training: its SHA-256 is {found[:12]}…, the manifest says {seal['sha256'][:12]}…",
            where=str(path),
            hint=hint,
        )
    try:
        sealed.check_archive(content)
    except zipfile.BadZipFile as error:
        raise ModelError(f"is not a model file: {error}", where=str(path), hint=hint) from None
    except Exception as error:
        raise ModelError(
            f"is not a model file: {_told(error)}", where=str(path), hint="Do not use this file."
        ) from None
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _models_beside(folder: Path) -> str:
    found = sorted(str(path.parent) for path in folder.parent.glob(f"*/{MANIFEST}")) if folder.parent.is_dir() else []
    return f"There is: {', '.join(found)}" if found else "Train one with: mirsad train configs/default.toml"
