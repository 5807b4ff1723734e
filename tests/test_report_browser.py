"""The page in a browser: offline, quiet, fast, and unmoved by hostile articles."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from report_data import ROOT, report, trained

from pipeline.articles import Article
from pipeline.explain import explain
from pipeline.report import evidence, page

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
AXE = next(
    (
        path
        for folder in (os.environ.get("MIRSAD_AXE", ""), ROOT / "node_modules" / "axe-core")
        if folder and (path := Path(folder) / "axe.min.js").is_file()
    ),
    None,
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)"),
]

HOSTILE = {
    "script": "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"><b>نص</b>",
    "close": "</article></main></style></script><style>*{display:none}</style><iframe src='https://example.org'></iframe>",
    "bidi": "قبل \u202eالنص\u2066 المقلوب\u2069 بعد",
    "formula": "=cmd|' /C calc'!A0",
    "long": "ب" * 1_000_000,
    "mixed": "Moscow قالت to واشنطن (START-3) إنها will 50% تعود!",
    "marks": "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0640",
    "control": "نص\x00\x1b[31m \ud800 وبعده",
    "jinja": "{{ 7 * 7 }}{% raw %}",
}


def _dump(path: Path, tmp_path: Path, *, width: int = 1200) -> tuple[str, str]:
    """The page's document after its scripts have run, and what the console said; the network is off."""
    done = subprocess.run(
        [
            str(CHROMIUM),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},900",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=20000",
            "--enable-logging=stderr",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    log = done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "replace"), "\n".join(line for line in log.splitlines() if "CONSOLE" in line)


def _probed(path: Path, script: str) -> Path:
    """A copy of the page that may run one more script, whose result lands in the attribute data-probe."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    probe = path.with_name(f"probed-{path.name}")
    probe.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    return probe


def _result(dom: str) -> object:
    found = re.search(r'data-probe="([^"]*)"', dom)
    assert found, "the probe did not run"
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return page.write(tmp_path_factory.mktemp("plain"), report())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """The page with hostile text wherever a report holds text of others."""
    r = json.loads(json.dumps(report()))
    texts = list(HOSTILE.values())
    model = trained()[2]
    items = [Article(text[:200], text, text) for text in texts]
    rule = model.heads["topics"]
    view = SimpleNamespace(rule=rule)
    marked = [evidence.marked(x, e, view, "syria", 6000) for x, e in zip(items, explain(model, items), strict=True)]
    for i, error in enumerate(r["errors"]):
        text = texts[i % len(texts)]
        error |= {
            "id": text[:200],
            "source": text[:200],
            "date": text[:50],
            "words": {"for": [[text[:60], 1]], "against": []},
        }
        error |= marked[i % len(texts)]
    for i, line in enumerate(r["articles"]):
        text = texts[i % len(texts)][:300]
        line |= {"id": text, "title": text, "source": text}
    for i, suspect in enumerate(r["suspects"]):
        suspect |= {"id": texts[i % len(texts)][:300], "title": texts[i % len(texts)][:300]}
    for sides in r["top_words"]["topics"].values():
        sides["for"] = [{"word": text[:60], "articles": 3, "weight": 1.0} for text in texts]
    for i, row in enumerate(r["slices"]["heads"]["topics"]["cells"]):
        row["value"] = texts[i % len(texts)][:200]
    assert len(r["errors"]) >= len(texts)
    return page.write(tmp_path_factory.mktemp("hostile"), r)


def test_a_page_is_quiet_and_loads_nothing(plain, tmp_path):
    dom, said = _dump(plain, tmp_path)
    assert said == ""
    assert 'class="has-script"' in dom
    text = plain.read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)[^"']*""", re.sub(r"<a [^>]*>", "", text))
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert f"{len(report()['errors'])} of {len(report()['errors'])} shown" in dom


def test_hostile_articles_show_as_text_and_run_nothing(hostile, tmp_path):
    dom, said = _dump(hostile, tmp_path)
    assert said == ""
    assert "<title>tiny: training report</title>" in dom
    assert dom.count("<script") == 1 and "<iframe" not in dom and "<img" not in dom and dom.count("<style") == 1
    body = dom[dom.index("<body") :]
    assert "&lt;script&gt;document.title" in body and "{{ 7 * 7 }}" in body
    assert "[U+202E]" in body and not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", dom)


def test_hostile_articles_break_no_layout(hostile, tmp_path):
    script = """addEventListener("load", () => {
      for (const part of document.querySelectorAll("details")) part.open = true;
      for (const part of document.querySelectorAll(".mistake")) part.style.contentVisibility = "visible";
      const wide = [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, pre, svg")
        && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + "." + e.className);
      document.documentElement.dataset.probe =
        JSON.stringify([document.documentElement.scrollWidth, innerWidth, wide.slice(0, 5)]); });"""
    for width in (1200, 500):
        scroll, inner, wide = _result(_dump(_probed(hostile, script), tmp_path, width=width)[0])
        assert wide == [] and scroll <= inner + 1, (width, scroll, inner, wide)


def test_filters_sorting_and_slider_work(plain, tmp_path):
    script = """addEventListener("load", () => {
      const kinds = document.querySelector("[data-filters=error-list] select[data-key=kind]");
      kinds.value = kinds.options[1].value;
      kinds.dispatchEvent(new Event("input", {bubbles: true}));
      const shown = [...document.querySelectorAll("#error-list > :not([hidden])")];
      const order = document.querySelector("select[data-order]");
      order.value = "surety up";
      order.dispatchEvent(new Event("change", {bubbles: true}));
      const sure = [...document.querySelectorAll("#error-list > *")].map((e) => Number(e.dataset.surety));
      const table = document.querySelector("#labels ~ .scroll table.sortable");
      table.querySelectorAll("th button")[3].click();
      const f1 = [...table.tBodies[0].rows].map((row) => Number(row.cells[3].textContent));
      const slider = document.querySelector("input[type=range]");
      slider.value = 3;
      slider.dispatchEvent(new Event("input", {bubbles: true}));
      document.documentElement.dataset.probe = JSON.stringify({
        kind: kinds.value, kinds: [...new Set(shown.map((e) => e.dataset.kind))], n: shown.length, sure, f1,
        slider: document.querySelector(".controls output[id]").textContent}); });"""
    found = _result(_dump(_probed(plain, script), tmp_path)[0])
    assert found["kinds"] == [found["kind"]]
    assert found["n"] == sum(error["kind"] == found["kind"] for error in report()["errors"]) > 0
    assert found["sure"] == sorted(found["sure"]) and found["f1"] == sorted(found["f1"])
    row = report()["thresholds"]["topics"][0]["table"][3]
    assert found["slider"].startswith(f"at {row['threshold']:.2f}: {row['given']} given")


def test_everything_is_there_without_script(plain):
    text = re.sub(r"<script>.*?</script>", "", plain.read_text(encoding="utf-8"), flags=re.S)
    for error in report()["errors"][:20]:
        assert html.escape(error["id"]) in text
    assert "hidden" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).replace("overflow:hidden", "")


@pytest.mark.skipif(AXE is None, reason="no axe-core (npm install axe-core, or MIRSAD_AXE=its folder)")
def test_axe_finds_no_serious_violation(plain, tmp_path):
    script = (
        AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
        + """
      ;addEventListener("load", () => { for (const d of document.querySelectorAll("details")) d.open = true;
      axe.run().then((found) => { document.documentElement.dataset.probe = JSON.stringify(found.violations
        .filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => [v.id, v.nodes[0].html.slice(0, 200)]));
      }); });"""
    )
    assert _result(_dump(_probed(plain, script), tmp_path)[0]) == []
