"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const BATCH = 40;
  document.documentElement.classList.add("scripted");

  // Text goes in as text nodes alone, so no token can become markup. An attribute without a value is left out.
  const fill = (element, attributes, children) => {
    Object.entries(attributes).filter(([, value]) => value !== "").forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...children);
    return element;
  };
  const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const shape = (name, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  const shown = (thousandths) =>
    (thousandths > 0 && thousandths < 5 ? "<.01" : thousandths >= 995 ? "1.0" : (thousandths / 1000).toFixed(2).slice(1));
  const cut = (text) => { const letters = Array.from(text); return letters.length > 60 ? `${letters.slice(0, 59).join("")}…` : text; };
  const wordNode = (text, lang) => make("bdi", { lang }, text);
  const tokenNode = (text, lang = "") => {
    const bare = text.replace(/^␣+/, ""), space = text.slice(0, text.length - bare.length);
    return make("bdi", { lang }, ...(space ? [make("span", { class: "sp", "aria-hidden": bare ? "true" : "" }, space)] : []), bare);
  };
  const button = (label, act, name = "") => {
    const made = make("button", { type: "button", "aria-label": name }, label);
    made.addEventListener("click", act);
    return made;
  };

  // -- tables as CSV, figures as SVG
  const squeeze = (text) => text.replace(/[ \n\r\t]+/g, " ").trim();
  const save = (name, type, text) => {
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const NUMBER = /^-?(\d+\.?\d*|\.\d+)%?$/;
  const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
  const field = (value) => {
    let text = String(value ?? "");
    // A spreadsheet would run what looks like a formula.
    if (FORMULA.test(text) && !NUMBER.test(text)) text = `'${text}`;
    return /[",\r\n]|^ | $/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  // Spreadsheets take a file without the mark for one of their own code page.
  const written = (rows) => `\ufeff${rows.map((row) => `${row.map(field).join(",")}\r\n`).join("")}`;

  // Intervals become columns of their own; a column of plots repeats its neighbours' figures.
  const ENDS = /^\[?([−\d.%]+)(?:, | to )([−\d.%]+)\]?$/;
  const plain = (text) => { const bare = text.replace(/\u202f/g, "").replace("−", "-"); return NUMBER.test(bare) ? bare : text; };
  const read = (cell) => {
    if (!cell) return [""];
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("svg").forEach((svg) => svg.replaceWith(svg.getAttribute("aria-label") || ""));
    const ci = copy.querySelector(".ci"), ends = ci && ENDS.exec(squeeze(ci.textContent));
    if (ends) ci.remove();
    const text = squeeze(copy.textContent);
    return [text === "–" && cell.matches(".n, .missing") ? "" : plain(text), ...(ends ? ends.slice(1).map(plain) : [])];
  };
  const csv = (table) => {
    const grid = [...table.rows].map((row) => [...row.cells].flatMap((cell) => [cell, ...Array(cell.colSpan - 1).fill(null)]));
    const skipped = grid[0].map((cell) => Boolean(cell) && cell.matches("th.plot"));
    grid.forEach((row) => row.forEach((cell, at) => { if (skipped[at] && cell && cell.colSpan > 1) row[at + 1] = cell; }));
    const texts = grid.map((row) => row.filter((_, at) => !skipped[at]).map(read));
    const widths = texts[0].map((_, at) => Math.max(...texts.map((row) => (row[at] || []).length)));
    return written(texts.map((row, line) => widths.flatMap((width, at) => {
      const [text = "", ...ends] = row[at] || [];
      const missing = table.tHead && line === 0 ? [`${text} low`, `${text} high`] : ["", ""];
      return [text, ...(ends.length ? ends : missing)].slice(0, width);
    })));
  };
  const TEXT = ["fill", "font-family", "font-size", "font-weight", "text-anchor"];
  const MARK = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "visibility"];
  const drawing = (svg) => {
    const copy = svg.cloneNode(true), { x, y, width, height } = svg.viewBox.baseVal, marks = copy.querySelectorAll("*");
    svg.querySelectorAll("*").forEach((element, at) => {
      const style = getComputedStyle(element), names = { title: [], text: TEXT }[element.localName] || MARK;
      names.forEach((name) => marks[at].setAttribute(name, style.getPropertyValue(name)));
      marks[at].removeAttribute("class");
    });
    ["class", "tabindex", "data-start", "data-end"].forEach((name) => copy.removeAttribute(name));
    const paper = shape("rect", { x, y, width, height, fill: getComputedStyle(document.body).backgroundColor });
    copy.prepend(shape("title", {}, svg.getAttribute("aria-label")), paper);
    return new XMLSerializer().serializeToString(fill(copy, { width, height }, []));
  };

  // The buttons stand below their table or figure; a region that scrolls says so there.
  const toolsOf = (element) => {
    const place = element.closest(".scroll") || element;
    if (place.nextElementSibling?.matches(".take")) return place.nextElementSibling;
    const bar = make("div", { class: "take" });
    place.after(bar);
    if (place !== element) {
      const hint = make("span", { class: "hint" }, "wider than its place: scroll it sideways →");
      bar.append(hint);
      const watch = new ResizeObserver(() => { hint.hidden = place.scrollWidth <= place.clientWidth + 1; });
      [place, ...place.children].forEach((each) => watch.observe(each));
    }
    return bar;
  };
  const offer = (element, kind, of, type, content) => {
    const name = `${of.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "pivotlens"}.${kind.toLowerCase()}`;
    const what = kind === "CSV" ? "table" : "figure";
    toolsOf(element).append(button(kind, () => save(name, type, content(element)), `${kind} of the ${what}: ${of}`));
  };
  const takeTable = (table) => {
    const more = table.id === "pair-table" && document.getElementById("pair-more");
    offer(table, "CSV", squeeze(table.caption?.textContent ?? "table"), "text/csv", () => {
      while (more && !more.hidden) more.click();
      return csv(table);
    });
  };
  const takeFigure = (svg) => offer(svg, "SVG", squeeze(svg.getAttribute("aria-label").split(/[.:]/)[0]), "image/svg+xml", drawing);

  // -- a list: filtered rows appear in batches
  const listing = (noun, rows, words, nodes, matches = () => true) => {
    const [filters, place, more, counter] = ["filters", "rows", "more", "count"].map((part) => document.getElementById(`${noun}-${part}`));
    if (!place) return null;
    const fold = (text) => text.normalize("NFC").toLowerCase();
    const haystacks = rows.map((row) => fold(words(row).join("\n")));
    let found = rows, drawn = 0;
    const draw = () => {
      place.append(...found.slice(drawn, drawn + BATCH).flatMap(nodes));
      drawn += BATCH;
      more.hidden = drawn >= found.length;
    };
    const refresh = () => {
      const text = fold(filters.querySelector("input").value.trim());
      found = rows.filter((row, at) => matches(row) && haystacks[at].includes(text));
      drawn = 0;
      place.replaceChildren();
      counter.textContent = `${found.length === rows.length ? "" : `${found.length} of `}${rows.length} ${noun}s`;
      draw();
    };
    more.addEventListener("click", draw);
    filters.addEventListener("input", refresh);
    refresh();
    return filters;
  };

  // -- items
  const strip = (item) => {
    if (!item.r) return make("span", { class: "strip note" }, "layers not on this page");
    const marks = item.r.map((reading, index) => {
      if (!reading.length) return "";
      const [role] = data.roles[reading[2] >> 1], height = (2 + 14 * reading[1] / 1000).toFixed(1);
      const kind = role === "other" && !(reading[2] & 1) ? "common" : role;
      return shape("rect", { x: index * 10, width: 9, y: 16 - height, height, class: `r-${kind}` });
    });
    const box = { viewBox: `0 0 ${item.r.length * 10} 16`, preserveAspectRatio: "none" };
    return shape("svg", { class: "strip", ...box, "aria-hidden": "true" }, ...marks);
  };
  const heatCell = (item, [token, prob, code]) => {
    const text = data.tokens[token], [role, relation] = data.roles[code >> 1], specific = code & 1;
    const level = prob < 5 ? 0 : Math.min(10, Math.max(1, Math.round(prob / 100)));
    const said = `${role}${relation ? ` (${relation})` : ""}${specific ? "" : " · not specific to this word"}`;
    const [source, target] = data.directions[item.d], language = { source, target, english: "en" }[role];
    return make(
      "td",
      {
        class: `r-${role} a${level}${role === "other" ? "" : " kin"}${specific ? "" : " faded"}`,
        title: `${text} · ${prob < 1 ? "<0.001" : (prob / 1000).toFixed(3)} · ${said}`,
      },
      make("span", { class: "p" }, shown(prob)), tokenNode(text, language),
      ...(role === "other" ? [] : [make("span", { class: "unseen" }, ` (${role})`)]),
    );
  };
  const heat = (item) => {
    const ranks = Array.from({ length: Math.max(...item.r.map((reading) => reading.length / 3)) }, (_, rank) => `${rank + 1}.`);
    const head = make("tr", {}, ...["layer", ...ranks].map((name) => make("th", { scope: "col" }, name)));
    const rows = item.r.map((reading, index) => {
      const layer = data.layers[item.n][index];
      const tokens = Array.from({ length: reading.length / 3 }, (_, rank) => reading.slice(3 * rank, 3 * rank + 3));
      const cells = tokens.map((token) => heatCell(item, token));
      return make("tr", { class: layer === item.l ? "at-peak" : "" }, make("th", { scope: "row" }, layer), ...cells);
    });
    const caption = make("caption", { class: "unseen" }, "Five most probable tokens of each layer with their probabilities");
    const table = make("table", { class: "heat" }, caption, make("thead", {}, head), make("tbody", {}, ...rows));
    const frame = { class: "scroll", tabindex: "0", role: "region", "aria-label": "Layers of this item" };
    const box = make("div", {}, make("div", frame, table));
    takeTable(table);
    return box;
  };

  const inside = (item) => {
    const [source, target] = data.directions[item.d];
    const answer = item.g === null
      ? [`; the model’s answer is ${item.ok ? "right" : "wrong"}`]
      : [`; the model wrote ${item.ok ? "" : "instead "}`, wordNode(cut(item.g) || "nothing", target)];
    const ambiguous = item.am ? " Source and target begin with the same token, so this item is ambiguous." : "";
    const words = [wordNode(item.s, source), " should become ", wordNode(item.t, target), ...answer, `.${ambiguous}`];
    const labels = data.rules.map((rule, index) => `${rule}: ${data.behaviours[item.b[index]][1]}`).join(" · ");
    const mined = item.m.flatMap(([token, strength], index) =>
      [index ? ", " : "", make("span", { class: "t-pivot" }, tokenNode(data.tokens[token])), ` ${(strength / 1000).toFixed(2)}`]);
    const code = (text) => make("code", {}, text);
    return make(
      "div", { class: "inside" }, make("p", {}, ...words), make("p", { class: "note" }, labels),
      ...(mined.length ? [make("p", {}, "Mined from the corpus for this pair: ", ...mined)] : []),
      item.r ? heat(item) : make(
        "p", { class: "note" }, "Its layers are in the table ", code("trace/tokens"), " of the run, concept ", code(item.c),
        "; all items have theirs on the page after ", code(`pivotlens report --items ${data.items.length}`), ".",
      ),
    );
  };
  const itemNode = (item) => {
    const [source, target, title] = data.directions[item.d], [behaviour, label] = data.behaviours[item.b[0]];
    const peak = item.k === null || behaviour === "none" ? [] : [" ", tokenNode(data.tokens[item.k]), ` ${shown(item.p)} at ${item.l}`];
    const [mark, answer] = item.ok ? ["✓", "right"] : ["✗", "wrong"];
    const details = make("details", { class: "item" }, make(
      "summary", {},
      make("span", { class: "dir", title }, `${source} → ${target}`),
      make("span", { class: "words" }, wordNode(item.s, source), " → ", wordNode(item.t, target)),
      make("span", { class: `label b-${behaviour}` }, label, ...peak),
      strip(item), make("span", { class: `mark ${answer}`, role: "img", "aria-label": `answer ${answer}` }, mark),
    ));
    details.addEventListener("toggle", () => details.append(inside(item)), { once: true });
    return details;
  };
  const startItems = () => {
    const texts = (item) => [item.s, item.t, item.c, item.g || "", item.k === null ? "" : data.tokens[item.k]];
    const chosen = { direction: (item) => item.d, behaviour: (item) => item.b[0], correct: (item) => item.ok };
    const control = (name) => document.getElementById(`filter-${name}`);
    const matches = (item) =>
      Object.entries(chosen).every(([name, get]) => ["", String(get(item))].includes(control(name).value));
    const filters = listing("item", data.items, texts, itemNode, matches);
    if (!filters) return;
    const offered = (name, labels) => [...new Set(data.items.map(chosen[name]))].sort((a, b) => a - b)
      .forEach((value) => control(name).append(make("option", { value }, labels[value])));
    offered("direction", data.directions.map((direction) => direction[2]));
    offered("behaviour", data.behaviours.map((behaviour) => behaviour[1]));
    filters.append(button("All items as CSV", () => save("items.csv", "text/csv", written([
      ["source_language", "target_language", "concept", "source_word", "target_word", "generated", "correct", ...data.rules, "layer", "token", "prob"],
      ...data.items.map((item) => [
        ...data.directions[item.d].slice(0, 2), item.c, item.s, item.t, item.g, item.ok, ...item.b.map((label) => data.behaviours[label][0]),
        item.l, item.k === null ? null : data.tokens[item.k], item.p === null ? null : item.p / 1000,
      ]),
    ]))));
  };

  // -- pairs
  const pairNodes = (pair) => pair.v.map(([token, ...evidence], index) => {
    const [source, target] = data.directions[pair.d], relation = evidence.pop();
    const cells = index ? [[], []] : [[`${source} → ${target}`], [wordNode(pair.s, source), " → ", wordNode(pair.t, target)]];
    return make(
      "tr", { class: index < pair.v.length - 1 ? "open" : "" }, ...cells.map((cell) => make("td", {}, ...cell)),
      make("td", { class: relation ? "t-pivot" : "" }, tokenNode(data.tokens[token])),
      ...evidence.map((value) => make("td", { class: "n" }, value)), make("td", { class: "note" }, relation),
    );
  });
  const wordsOf = (pair) => [pair.s, pair.t, ...pair.v.map(([token]) => data.tokens[token])];

  // -- layer charts: a cursor reads the values of a layer
  const startProfile = (figure) => {
    const said = data.profiles[figure.dataset.profile];
    const [chart, cursor, readout] = ["svg", ".cursor", "output"].map((part) => figure.querySelector(part));
    const resting = readout.textContent, last = said.length - 1;
    const left = Number(chart.dataset.start), across = Number(chart.dataset.end) - left;
    let current = -1;
    const rest = () => { current = -1; cursor.setAttribute("visibility", "hidden"); readout.textContent = resting; };
    const show = (index) => {
      current = Math.max(0, Math.min(last, index));
      const x = left + (last ? current / last : 0) * across;
      fill(cursor, { x1: x, x2: x, visibility: "visible" }, []);
      readout.textContent = said[current];
    };
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * chart.viewBox.baseVal.width;
      show(Math.round((x - left) / across * last));
    });
    ["pointerleave", "blur"].forEach((name) => chart.addEventListener(name, rest));
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      show(current < 0 && step === -1 ? last : current + step);
    });
  };

  startItems();
  listing("pair", data.pairs, wordsOf, pairNodes);
  document.querySelectorAll(".profile").forEach(startProfile);
  document.querySelectorAll("main table").forEach(takeTable);
  document.querySelectorAll("main svg[role=img][viewBox]").forEach(takeFigure);
  // What is folded would be missing on paper.
  window.addEventListener("beforeprint", () => document.querySelectorAll("details.more").forEach((each) => { each.open = true; }));

  // -- the table of contents follows the reader
  const observer = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    document.querySelectorAll(".contents a").forEach((link) => { link.ariaCurrent = link.hash === `#${target.id}` ? "true" : null; });
  }), { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => observer.observe(section));
})();
