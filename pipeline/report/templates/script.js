"use strict";
(() => {
  const $ = (selector, from = document) => [...from.querySelectorAll(selector)];
  document.documentElement.classList.add("has-script");

  // A table's head becomes buttons that sort it: numbers by value, words by their letters.
  const value = (row, i) => {
    const text = row.cells[i].dataset.value ?? row.cells[i].textContent.trim();
    const number = parseFloat(text.replace(/[,%+]/g, ""));
    return Number.isNaN(number) ? [1, text] : [0, number];
  };
  for (const table of $("table.sortable")) {
    $("thead th", table).forEach((head, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        $("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [value(row, i), row]);
        rows.sort(([a], [b]) => (a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0)) * (down ? -1 : 1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  // Lists that can be filtered by the data attributes of their entries, searched, and sorted.
  for (const controls of $("[data-filters]")) {
    const list = document.getElementById(controls.dataset.filters);
    const entries = $("[data-entry]", list);
    const shown = controls.querySelector("output");
    const apply = () => {
      let n = 0;
      const wanted = $("select[data-key]", controls).filter((select) => select.value !== "");
      const search = (controls.querySelector("input[type=search]")?.value ?? "").trim().toLowerCase();
      for (const entry of entries) {
        const fits = wanted.every((select) => entry.dataset[select.dataset.key].split("|").includes(select.value))
          && (search === "" || entry.textContent.toLowerCase().includes(search));
        entry.hidden = !fits;
        n += fits;
      }
      shown.textContent = `${n.toLocaleString("en")} of ${entries.length.toLocaleString("en")} shown`;
    };
    controls.addEventListener("input", apply);
    const order = controls.querySelector("select[data-order]");
    order?.addEventListener("change", () => {
      const [key, way] = order.value.split(" ");
      const sign = way === "down" ? -1 : 1;
      const sorted = [...entries].sort((a, b) => {
        const [x, y] = [a.dataset[key], b.dataset[key]];
        return sign * (Number.isNaN(Number(x)) ? x.localeCompare(y) : Number(x) - Number(y));
      });
      list.append(...sorted);
    });
    apply();
  }

  // The slider walks through the table of thresholds that stands beside it.
  for (const slider of $("input[data-thresholds]")) {
    const rows = $("tbody tr", document.getElementById(slider.dataset.thresholds));
    const output = document.getElementById(slider.getAttribute("aria-describedby"));
    const tell = () => {
      const row = rows[Number(slider.value)];
      const [threshold, given, precision, recall, f1] = [...row.cells].map((cell) => cell.textContent.trim());
      output.textContent = `at ${threshold}: ${given} given, precision ${precision}, recall ${recall}, F1 ${f1}`;
      slider.setAttribute("aria-valuetext", output.textContent);
      rows.forEach((other) => other.classList.toggle("total", other === row));
    };
    slider.addEventListener("input", tell);
    tell();
  }

  // A link into a closed part opens it.
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
})();
