"use strict";
// The report's own behaviour: filters, sorting, figures when they come into view, files. Nothing is fetched.
(() => {
  const root = document.documentElement, by = (id) => document.getElementById(id);
  const data = JSON.parse(by("data").textContent);
  root.classList.add("scripted");

  // Theme: as the system, light, dark.
  const themes = ["", "light", "dark"], button = by("theme");
  const setTheme = (theme) => {
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    button.textContent = "Theme: " + (theme || "as the system");
  };
  let kept = "";
  try { kept = localStorage.getItem("repro-theme") || ""; } catch { /* a page from disk may have no storage */ }
  setTheme(themes.includes(kept) ? kept : "");
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
    setTheme(next);
    try { localStorage.setItem("repro-theme", next); } catch { /* not kept */ }
  });

  // Files.
  const save = (name, content, type) => {
    const link = document.createElement("a");
    link.href = content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
  };
  const quoted = (text) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const csv = (lines) => lines.map((line) => line.map((cell) => quoted(String(cell ?? ""))).join(",")).join("\n") + "\n";
  const bar = (text) => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");
  const markdown = ([head, ...lines]) => [head, head.map(() => "---"), ...lines]
    .map((line) => `| ${line.map((cell) => cell === "---" ? cell : bar(cell)).join(" | ")} |`).join("\n") + "\n";
  const signs = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  const tex = (text) => text.replace(/[\\~^]|[&%$#_{}]/g, (sign) => signs[sign] || "\\" + sign);
  const latex = (lines) => `\\begin{tabular}{${"l".repeat(lines[0].length)}}\n` +
    lines.map((line) => line.map(tex).join(" & ") + " \\\\").join("\n") + "\n\\end{tabular}\n";

  // Claims.
  const table = by("table");
  if (table) claims();
  function claims() {
    const search = by("search"), view = by("view"), paper = by("paper"), count = by("count");
    const bodies = [...table.tBodies], rows = [...table.querySelectorAll("tbody tr:not(.group)")];
    const outcome = (row) => row.className.slice(2).split(" ")[0];
    const records = rows.map((row) => ({ row, body: row.parentElement, outcome: outcome(row), text: (row.id + " " + row.textContent).toLowerCase() }));
    const quiet = new Set(["not_run", "unverifiable", "as_printed", "not_set", "holds"]);
    const views = {
      all: () => true, telling: (r) => !quiet.has(r.outcome), headline: (r) => "h" in r.row.dataset, audit: (r) => "a" in r.row.dataset,
    };
    let flat = null;
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = views[view.value] || ((r) => r.outcome === view.value);
      let shown = 0;
      const full = new Set();
      for (const r of records) {
        const yes = fits(r) && (!paper.value || r.row.dataset.s === paper.value) && words.every((word) => r.text.includes(word));
        r.row.hidden = !yes;
        if (yes) { shown += 1; full.add(r.body); }
      }
      for (const body of bodies) { body.rows[0].hidden = flat !== null || !full.has(body); body.hidden = flat !== null || !full.has(body); }
      count.textContent = `${shown.toLocaleString("en")} of ${records.length.toLocaleString("en")} claims shown` +
        (shown ? "" : view.value === "all" ? "" : "; “Show: all” looks among every claim");
    };
    const key = (row, column) => {
      const text = row.cells[column].textContent.trim(), number = text.replace("−", "-").match(/^[^\d-]?(-?[\d,]*\.?\d+(?:e[-+]?\d+)?)/i);
      return column >= 2 && column <= 3 && number ? Number(number[1].replaceAll(",", "")) : text.toLowerCase();
    };
    const before = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    const heads = [...table.tHead.rows[0].cells];
    const unsort = () => {
      if (flat) { for (const r of records) r.body.append(r.row); flat.remove(); flat = null; }
      for (const head of heads) head.removeAttribute("aria-sort");
    };
    table.tHead.addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (!pressed) return;
      const column = Number(pressed.dataset.column), head = heads[column];
      const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const sorted = records.map((r) => [key(r.row, column), r.row]).sort((a, b) => down * before(a[0], b[0]));
      unsort();
      flat = table.createTBody();
      flat.append(...sorted.map((pair) => pair[1]));
      head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
      filter();
    });
    let waiting = 0;
    search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    view.addEventListener("change", filter);
    paper.addEventListener("change", filter);
    search.form.addEventListener("submit", (event) => event.preventDefault());
    const everything = () => { search.value = ""; view.value = "all"; paper.value = ""; unsort(); filter(); };
    by("reset").addEventListener("click", everything);
    for (const tile of document.querySelectorAll("[data-view]"))
      tile.addEventListener("click", () => { search.value = ""; paper.value = ""; view.value = tile.dataset.view; filter(); });

    // A link to a claim or a table shows it, whatever is filtered.
    const go = (id) => {
      const target = id && by(id);
      if (!target || !table.contains(target)) return;
      if (target.hidden || target.parentElement.hidden) everything();
      for (const row of table.querySelectorAll(".here")) row.classList.remove("here");
      target.classList.add("here");
      target.scrollIntoView({ block: "center" });
    };
    const hash = () => { try { go(decodeURIComponent(location.hash.slice(1))); } catch { /* no id of ours */ } };
    addEventListener("hashchange", hash);
    const glance = by("glance");
    glance.addEventListener("click", (event) => {
      const id = event.target.dataset.c;
      if (id) { location.hash = encodeURIComponent(id); go(id); }
    });
    glance.addEventListener("mouseover", (event) => {
      const row = event.target.dataset.c && by(event.target.dataset.c);
      if (row && !event.target.title)
        event.target.title = `${row.cells[0].innerText.trim()}: printed ${row.cells[2].textContent.trim()}, measured ${row.cells[3].textContent.trim()}`;
    });
    for (const pressed of document.querySelectorAll("[data-table]")) pressed.addEventListener("click", () => {
      const lines = [...table.querySelectorAll("tbody tr:not(.group):not([hidden])")]
        .map((row) => [row.id, ...[...row.cells].map((cell) => cell.textContent.replace(/\s+/g, " ").trim())]);
      const whole = [["Id", "Verdict", "Claim", "Published", "Measured", "Why"], ...lines];
      const kind = pressed.dataset.table;
      save(`claims.${kind}`, { csv, md: markdown, tex: latex }[kind](whole), "text/plain");
    });
    if (!records.some(views.telling)) view.value = "all";
    filter();
    hash();
  }

  // Figures.
  for (const figure of data.figures) for (const row of figure.rows) for (const n of figure.coded)
    row[n] = row[n].map((place) => data.names[place]);
  const figures = new Map(data.figures.map((figure) => [figure.id, figure]));
  const values = (figure) => figure.rows.map((row) => Object.fromEntries(row.map((value, n) => [figure.columns[n], value])));
  const specification = (figure, config) => ({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json", config,
    data: { values: values(figure) }, ...figure.spec,
  });
  const options = { actions: false, renderer: "svg", ast: true };
  let left = figures.size;
  const drawn = () => { left -= 1; if (!left) root.dataset.drawn = "all"; };
  if (!left) root.dataset.drawn = "all";
  const draw = async (element, printing = false) => {
    const figure = figures.get(element.dataset.figure);
    if (element.dataset.drawn) return;
    element.dataset.drawn = "yes";
    const chart = element.querySelector(".chart"), narrow = chart.clientWidth < 460;
    const legend = { ...data.config.legend, columns: narrow ? 2 : data.config.legend.columns };
    const spec = specification(figure, { ...data.config, legend, aria: false });
    if (narrow && spec.columns) {
      const { width } = spec.spec, wide = typeof width === "number";  // wide panels stand below each other
      spec.columns = wide ? 1 : Math.min(spec.columns, 2);
      if (wide) spec.spec = { ...spec.spec, width: Math.min(width, chart.clientWidth - 120) };
    }
    // A page that goes to the printer before it was laid out has no width to take.
    if (printing && spec.width === "container") Object.assign(spec, { width: 420, autosize: { type: "fit-x", contains: "padding" } });
    await vegaEmbed(chart.firstElementChild, spec, options);
    if (chart.scrollWidth > chart.clientWidth) chart.tabIndex = 0;  // so that keys can scroll it
    drawn();
  };
  const all = [...document.querySelectorAll("[data-figure]")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "400px" });
  for (const element of all) seen.observe(element);
  const rest = [...all];
  const idle = globalThis.requestIdleCallback || ((work) => setTimeout(work, 60));
  const next = () => { const element = rest.shift(); if (element) draw(element).then(() => idle(next)); };
  idle(next);
  addEventListener("beforeprint", () => { for (const element of all) draw(element, true); });

  const plain = (text) => { for (const [name, colour] of Object.entries(data.light)) text = text.replaceAll(`"var(--${name})"`, `"${colour}"`); return text; };
  const cells = (figure) => [figure.columns, ...figure.rows.flatMap((row) => {
    const long = Math.max(1, ...row.map((cell) => Array.isArray(cell) ? cell.length : 1));
    return Array.from({ length: long }, (_, n) => row.map((cell) => Array.isArray(cell) ? cell[n] : cell));
  })];
  for (const element of all) {
    const figure = figures.get(element.dataset.figure), details = element.querySelector("details");
    details.addEventListener("toggle", () => {
      const place = element.querySelector(".numbers");
      if (!details.open || place.firstChild) return;
      const grid = document.createElement("table"), [head, ...lines] = cells(figure);
      const top = grid.createTHead().insertRow();
      for (const name of head) { const cell = document.createElement("th"); cell.scope = "col"; cell.textContent = name; top.append(cell); }
      const body = grid.createTBody();
      for (const line of lines.slice(0, 2000)) { const row = body.insertRow(); for (const cell of line) row.insertCell().textContent = cell ?? "–"; }
      place.append(grid);
    });
    element.addEventListener("click", async (event) => {
      const kind = event.target.dataset.save;
      if (!kind) return;
      if (kind === "csv") { save(`${figure.id}.csv`, csv(cells(figure)), "text/csv"); return; }
      const spec = JSON.parse(plain(JSON.stringify(specification(figure, { ...data.config, background: data.light.card }))).replaceAll('"container"', "520"));
      const room = document.createElement("div");
      const { view } = await vegaEmbed(room, spec, options);
      save(`${figure.id}.${kind}`, kind === "svg" ? await view.toSVG() : await view.toImageURL("png", 2), "image/svg+xml");
    });
  }
})();
