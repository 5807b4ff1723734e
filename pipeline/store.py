"""Model folders: what training leaves, audited before anything in it is used.

A folder holds `model.skops` (features and heads, for evaluation, explanations and notebooks), `scorer.npz` (the same
model compiled to flat arrays, for prediction), `manifest.json`, `metrics.json` and `report/`.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import tempfile
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import __version__
from pipeline.errors import ModelError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.dataset import Dataset
    from pipeline.model import Model
    from pipeline.scoring import Scorer

FORMAT = 1
MODEL, SCORER, MANIFEST, METRICS = "model.skops", "scorer.npz", "manifest.json", "metrics.json"
MAX_UNPACKED = 2 << 30
"""Bytes that an archive in a model folder may unpack to."""

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
    "pipeline.features.target.TargetBlock",
    "pipeline.features.terms.TermsBlock",
    "pipeline.features.tfidf.ArabicTfidfVectorizer",
]
"""The project's own types that a model file may hold, beside those that skops trusts by itself."""

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
    try:
        manifest = json.loads(path.read_bytes())
        number = manifest["format"]
        missing = [key for key in ("name", "files", "heads", "data", "config") if key not in manifest]
    except FileNotFoundError:
        raise ModelError(
            "is no model folder: it has no manifest.json", where=str(folder), hint=_models_beside(Path(folder))
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"cannot be read: {error}", where=str(path), hint="Train the model again, or fetch it again."
        ) from None
    if type(number) is not int or not 1 <= number <= FORMAT:
        raise ModelError(
            f"has format {number!r}, and this version of mirsad reads formats up to {FORMAT}",
            where=str(path),
            hint="Install a newer mirsad.",
        )
    if missing:
        raise ModelError(
            f"cannot be read: it has no {missing[0]!r}",
            where=str(path),
            hint="Train the model again, or fetch it again.",
        )
    return dict(manifest)


def short_name(manifest: dict[str, Any]) -> str:
    """`name@short-hash`: which model gave an answer."""
    return f"{manifest['name']}@{manifest['files'][SCORER]['sha256'][:8]}"


def load_scorer(folder: str | Path) -> tuple[Scorer, dict[str, Any]]:
    """The compiled model of a folder, and its manifest. Raises ModelError as `load`."""
    from pipeline.scoring import Scorer

    manifest = read_manifest(folder)
    content = _audited(Path(folder), SCORER, manifest)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Scorer.from_state(dict(arrays)), manifest
    except _SPOILED as error:
        raise _unusable(Path(folder) / SCORER, error) from error


def load(folder: str | Path) -> tuple[Model, dict[str, Any]]:
    """The model of a folder, and its manifest.

    Nothing is built before the audit: the format number, the SHA-256 of the file, the sizes that it unpacks to, and
    every type named in it.

    Raises
    ------
    ModelError
        Where one of them is not as it should be.
    """
    import skops.io

    manifest = read_manifest(folder)
    where = str(Path(folder) / MODEL)
    content = _audited(Path(folder), MODEL, manifest)
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    except _SPOILED as error:
        raise _unusable(Path(where), error) from error
    if unknown:
        raise ModelError(
            f"holds types that are not trusted: {', '.join(unknown[:5])}",
            where=where,
            hint="Do not use this file; it was not made by mirsad train.",
        )
    from pipeline.model import Model

    try:
        model = skops.io.loads(content, trusted=TRUSTED)
    except _SPOILED as error:
        raise _unusable(Path(where), error) from error
    if not isinstance(model, Model):
        raise ModelError(f"holds a {type(model).__name__}, not a model", where=where)
    return model, manifest


_SPOILED = (
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file that is sealed and yet no model may raise."""


def _unusable(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"holds no model that can be used: {error}", where=str(path), hint="Train the model again, or fetch it again."
    )


def dump_json(value: Any) -> str:
    """JSON that a person can read and that is the same for the same value."""
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _audited(folder: Path, name: str, manifest: dict[str, Any]) -> bytes:
    path = folder / name
    hint = "The folder is damaged or was changed by hand: train the model again, or fetch it again."
    try:
        sealed = manifest["files"][name]["sha256"]
        content = path.read_bytes()
    except (KeyError, TypeError):
        raise ModelError(f"does not name {name}", where=str(folder / MANIFEST), hint=hint) from None
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    found = _sha256(content)
    if found != sealed:
        raise ModelError(
            f"was changed after training: its SHA-256 is {found[:12]}…, the manifest says {str(sealed)[:12]}…",
            where=str(path),
            hint=hint,
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ModelError(f"is not a model file: {error}", where=str(path), hint=hint) from None
    if unpacked > MAX_UNPACKED:
        raise ModelError(
            f"unpacks to {unpacked:,} bytes, and {MAX_UNPACKED:,} is the most",
            where=str(path),
            hint="Do not use this file.",
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _models_beside(folder: Path) -> str:
    found = sorted(str(path.parent) for path in folder.parent.glob(f"*/{MANIFEST}")) if folder.parent.is_dir() else []
    return f"There is: {', '.join(found)}" if found else "Train one with: mirsad train configs/default.toml"
