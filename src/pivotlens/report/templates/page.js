"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const ROLES = ["other", "source", "target", "english"];
  const BATCH = 40;
  document.documentElement.classList.add("scripted");

  // Text goes in through textContent alone, so no token can become markup.
  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const shape = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };
  const add = (parent, ...children) => (parent.append(...children), parent);
  const roleOf = (code) => ROLES[code >> 1] || "pivot";
  const relationOf = (code) => data.relations[(code >> 1) - ROLES.length] || "";
  const shown = (thousandths) => (thousandths > 0 && thousandths < 5 ? "<.01" : thousandths >= 995 ? "1.0" : (thousandths / 1000).toFixed(2).slice(1));
  const cut = (text) => { const letters = Array.from(text); return letters.length > 60 ? letters.slice(0, 59).join("") + "…" : text; };
  const languageOf = (item, code) => ["", data.directions[item.d][0], data.directions[item.d][1], "en"][code >> 1] || "";
  const setLanguage = (element, language) => { if (language) element.lang = language; return element; };

  const tokenNode = (text, language) => {
    const bare = text.replace(/^␣+/, "");
    const node = setLanguage(make("bdi"), language);
    if (bare.length < text.length) {
      const space = make("span", "sp", text.slice(0, text.length - bare.length));
      if (bare) space.setAttribute("aria-hidden", "true");
      node.append(space);
    }
    node.append(bare);
    return node;
  };
  const wordNode = (text, language) => setLanguage(make("bdi", "", text), language);

  // -- tables as CSV, figures as SVG
  const save = (name, type, text) => {
    const link = Object.assign(make("a"), { href: URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const button = (label, act) => {
    const made = Object.assign(make("button", "", label), { type: "button" });
    made.addEventListener("click", act);
    return made;
  };
  const squeeze = (text) => text.replace(/[ \n\r\t]+/g, " ").trim();
  const fileName = (text, ending) => `${squeeze(text).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "pivotlens"}.${ending}`;
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
    copy.querySelectorAll("br").forEach((line) => line.replaceWith(" "));
    const ci = copy.querySelector(".ci"), ends = ci && ENDS.exec(squeeze(ci.textContent));
    if (ends) ci.remove();
    const text = squeeze(copy.textContent);
    return [text === "–" && cell.matches(".n, .missing") ? "" : plain(text), ...(ends ? [plain(ends[1]), plain(ends[2])] : [])];
  };
  const csv = (table) => {
    const grid = [...table.rows].map((row) => [...row.cells].flatMap((cell) => [cell, ...Array(cell.colSpan - 1).fill(null)]));
    const skipped = (grid[0] || []).map((cell) => Boolean(cell) && cell.matches("th.plot"));
    grid.forEach((row) => row.forEach((cell, at) => { if (skipped[at] && cell && cell.colSpan > 1) row[at + 1] = cell; }));
    const texts = grid.map((row) => row.filter((_, at) => !skipped[at]).map(read));
    const widths = Array.from({ length: Math.max(0, ...texts.map((row) => row.length)) }, (_, at) => Math.max(1, ...texts.map((row) => (row[at] || []).length)));
    const head = table.tHead ? 0 : -1;
    return written(texts.map((row, line) => widths.flatMap((width, at) => {
      const [text = "", low = line === head ? `${text} low` : "", high = line === head ? `${text} high` : ""] = row[at] || [];
      return [text, low, high].slice(0, width);
    })));
  };

  const TEXT = ["fill", "font-family", "font-size", "font-weight", "text-anchor"];
  const MARK = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "visibility"];
  const drawing = (svg) => {
    const copy = svg.cloneNode(true), box = svg.viewBox.baseVal, marks = copy.querySelectorAll("*");
    svg.querySelectorAll("*").forEach((element, at) => {
      const style = getComputedStyle(element);
      if (element.localName !== "title") (element.localName === "text" ? TEXT : MARK).forEach((name) => marks[at].setAttribute(name, style.getPropertyValue(name)));
      marks[at].removeAttribute("class");
    });
    ["class", "tabindex", "data-start", "data-end"].forEach((name) => copy.removeAttribute(name));
    copy.setAttribute("width", box.width);
    copy.setAttribute("height", box.height);
    const title = shape("title", {});
    title.textContent = svg.getAttribute("aria-label");
    copy.prepend(title, shape("rect", { x: box.x, y: box.y, width: box.width, height: box.height, fill: getComputedStyle(document.body).backgroundColor }));
    return new XMLSerializer().serializeToString(copy);
  };

  // The buttons stand below their table or figure; a region that scrolls says so there.
  const toolsOf = (element) => {
    const place = element.closest(".scroll") || element;
    if (place.nextElementSibling && place.nextElementSibling.matches(".take")) return place.nextElementSibling;
    const bar = make("div", "take");
    place.after(bar);
    if (place !== element) {
      const hint = make("span", "hint", "wider than its place: scroll it sideways →");
      bar.append(hint);
      const watch = new ResizeObserver(() => { hint.hidden = place.scrollWidth <= place.clientWidth + 1; });
      [place, ...place.children].forEach((each) => watch.observe(each));
    }
    return bar;
  };
  const takeTable = (table) => {
    const name = squeeze(table.caption ? table.caption.textContent : "table"), more = table.id === "pair-table" && document.getElementById("pair-more");
    const take = button("CSV", () => {
      while (more && !more.hidden) more.click();
      save(fileName(name, "csv"), "text/csv", csv(table));
    });
    take.setAttribute("aria-label", `CSV of the table: ${name}`);
    toolsOf(table).append(take);
  };
  const takeFigure = (svg) => {
    const label = svg.getAttribute("aria-label").split(/[.:]/)[0];
    const take = button("SVG", () => save(fileName(label, "svg"), "image/svg+xml", drawing(svg)));
    take.setAttribute("aria-label", `SVG of the figure: ${label}`);
    toolsOf(svg).append(take);
  };

  // -- one list: filtered rows appear in batches
  const listing = (rows, matches, rowNode, place, more, counter, noun) => {
    let found = rows, drawn = 0;
    const draw = () => {
      const batch = document.createDocumentFragment();
      found.slice(drawn, drawn + BATCH).forEach((row) => batch.append(rowNode(row)));
      drawn = Math.min(drawn + BATCH, found.length);
      place.append(batch);
      more.hidden = drawn >= found.length;
    };
    const refresh = () => {
      found = rows.filter(matches);
      drawn = 0;
      place.replaceChildren();
      counter.textContent = found.length === rows.length ? `${rows.length} ${noun}` : `${found.length} of ${rows.length} ${noun}`;
      draw();
    };
    more.addEventListener("click", draw);
    return refresh;
  };
  const fold = (text) => text.normalize("NFC").toLowerCase();

  // -- items
  const strip = (item) => {
    if (!item.r) return make("span", "strip note", "layers not on this page");
    const svg = shape("svg", { class: "strip", viewBox: `0 0 ${item.r.length * 10} 16`, preserveAspectRatio: "none", "aria-hidden": "true" });
    item.r.forEach((reading, index) => {
      if (!reading.length) return;
      const role = roleOf(reading[2]), height = (2 + 14 * reading[1] / 1000).toFixed(1);
      svg.append(shape("rect", {
        x: index * 10, width: 9, y: 16 - height, height, class: `r-${role === "other" && !(reading[2] & 1) ? "common" : role}`,
      }));
    });
    return svg;
  };

  const heat = (item) => {
    const table = make("table", "heat");
    const caption = make("caption", "unseen", "Five most probable tokens of each layer with their probabilities");
    const head = make("tr");
    const width = Math.max(...item.r.map((reading) => reading.length / 3), 0);
    add(head, Object.assign(make("th", "", "layer"), { scope: "col" }));
    for (let rank = 1; rank <= width; rank += 1) add(head, Object.assign(make("th", "", `${rank}.`), { scope: "col" }));
    const body = make("tbody");
    item.r.forEach((reading, index) => {
      const layer = data.layers[item.n][index];
      const row = make("tr", layer === item.l ? "at-peak" : "");
      add(row, Object.assign(make("th", "", layer), { scope: "row" }));
      for (let at = 0; at < reading.length; at += 3) {
        const [text, prob, code] = [data.tokens[reading[at]], reading[at + 1], reading[at + 2]];
        const role = roleOf(code), specific = code & 1;
        const level = prob < 5 ? 0 : Math.min(10, Math.max(1, Math.round(prob / 100)));
        const cell = make("td", `r-${role} a${level}${role === "other" ? "" : " kin"}${specific ? "" : " faded"}`);
        const relation = relationOf(code);
        cell.title = `${text} · ${prob < 1 ? "<0.001" : (prob / 1000).toFixed(3)} · ${role}${relation ? ` (${relation})` : ""}${specific ? "" : " · not specific to this word"}`;
        add(cell, make("span", "p", shown(prob)), tokenNode(text, languageOf(item, code)));
        if (role !== "other") cell.append(make("span", "unseen", ` (${role})`));
        row.append(cell);
      }
      body.append(row);
    });
    const frame = make("div", "scroll");
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", "Layers of this item");
    add(frame, add(table, caption, add(make("thead"), head), body));
    const box = add(make("div"), frame);
    takeTable(table);
    return box;
  };

  const inside = (item) => {
    const [source, target] = data.directions[item.d];
    const box = make("div", "inside");
    const words = add(make("p"), wordNode(item.s, source), " should become ", wordNode(item.t, target));
    if (item.g !== null) add(words, item.ok ? "; the model wrote " : "; the model wrote instead ", wordNode(cut(item.g) || "nothing", target));
    else add(words, item.ok ? "; the model’s answer is right" : "; the model’s answer is wrong");
    add(words, item.am ? ". Source and target begin with the same token, so this item is ambiguous." : ".");
    const rules = make("p", "note", data.rules.map((rule, index) => `${rule}: ${data.behaviours[item.b[index]][1]}`).join(" · "));
    add(box, words, rules);
    if (item.m.length) {
      const mined = add(make("p"), "Mined from the corpus for this pair: ");
      item.m.forEach(([text, strength], index) => add(mined, index ? ", " : "", add(make("span", "t-pivot"), tokenNode(data.tokens[text], "")), ` ${(strength / 1000).toFixed(2)}`));
      box.append(mined);
    }
    if (item.r) return add(box, heat(item));
    const rest = add(make("p", "note"), "Its layers are in the table ", make("code", "", "trace/tokens"), " of the run, concept ", make("code", "", item.c), "; all items have theirs on the page after ");
    return add(box, add(rest, make("code", "", `pivotlens report --items ${data.items.length}`), "."));
  };

  const itemNode = (item) => {
    const [source, target, name] = data.directions[item.d];
    const details = make("details", "item");
    const summary = make("summary");
    const direction = make("span", "dir", `${source} → ${target}`);
    direction.title = name;
    const [behaviour, label] = data.behaviours[item.b[0]];
    const said = make("span", `label b-${behaviour}`, label);
    if (item.k !== null && behaviour !== "none") add(said, " ", tokenNode(data.tokens[item.k], ""), ` ${shown(item.p)} at ${item.l}`);
    const mark = make("span", `mark ${item.ok ? "right" : "wrong"}`, item.ok ? "✓" : "✗");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", item.ok ? "answer right" : "answer wrong");
    add(summary, direction, add(make("span", "words"), wordNode(item.s, source), " → ", wordNode(item.t, target)), said, strip(item), mark);
    details.append(summary);
    details.addEventListener("toggle", () => { if (details.open && details.childElementCount === 1) details.append(inside(item)); });
    return details;
  };

  const startItems = () => {
    const at = (id) => document.getElementById(id);
    const direction = at("filter-direction"), behaviour = at("filter-behaviour"), correct = at("filter-correct"), text = at("filter-text");
    const option = (value, label) => Object.assign(make("option", "", label), { value });
    const used = (get) => [...new Set(data.items.map(get))].sort((a, b) => a - b);
    used((item) => item.d).forEach((index) => direction.append(option(index, data.directions[index][2])));
    used((item) => item.b[0]).forEach((index) => behaviour.append(option(index, data.behaviours[index][1])));
    const haystack = new Map(data.items.map((item) => [item, fold([item.s, item.t, item.c, item.g || "", item.k === null ? "" : data.tokens[item.k]].join("\n"))]));
    const matches = (item) =>
      (direction.value === "" || item.d === Number(direction.value)) &&
      (behaviour.value === "" || item.b[0] === Number(behaviour.value)) &&
      (correct.value === "" || item.ok === Number(correct.value)) &&
      haystack.get(item).includes(fold(text.value.trim()));
    const refresh = listing(data.items, matches, itemNode, at("item-list"), at("item-more"), at("item-count"), "items");
    [direction, behaviour, correct].forEach((control) => control.addEventListener("change", refresh));
    text.addEventListener("input", refresh);
    at("item-filters").addEventListener("submit", (event) => event.preventDefault());
    refresh();
    const items = button("All items as CSV", () => save("items.csv", "text/csv", written([
      ["source_language", "target_language", "concept", "source_word", "target_word", "generated", "correct", ...data.rules, "layer", "token", "prob"],
      ...data.items.map((item) => [...data.directions[item.d].slice(0, 2), item.c, item.s, item.t, item.g, item.ok, ...item.b.map((label) => data.behaviours[label][0]),
        item.l, item.k === null ? null : data.tokens[item.k], item.p === null ? null : item.p / 1000]),
    ])));
    at("item-filters").append(items);
  };

  // -- pairs
  const startPairs = () => {
    const at = (id) => document.getElementById(id);
    const text = at("pair-text");
    const haystack = new Map(data.pairs.map((pair) => [pair, fold([pair.s, pair.t, ...pair.v.map((pivot) => data.tokens[pivot[0]])].join("\n"))]));
    const pairNode = (pair) => {
      const [source, target] = data.directions[pair.d];
      const rows = document.createDocumentFragment();
      pair.v.forEach(([token, withSource, withTarget, npmiSource, npmiTarget, q, strength, relation], index) => {
        const row = make("tr", index < pair.v.length - 1 ? "open" : "");
        add(row, make("td", "", index ? "" : `${source} → ${target}`));
        const words = make("td");
        if (!index) add(words, wordNode(pair.s, source), " → ", wordNode(pair.t, target));
        add(row, words, add(make("td", relation ? "t-pivot" : ""), tokenNode(data.tokens[token], "")));
        [withSource, withTarget, (npmiSource / 1000).toFixed(2), (npmiTarget / 1000).toFixed(2), q, (strength / 1000).toFixed(3)].forEach((value) => row.append(make("td", "n", String(value).replace("-", "−"))));
        rows.append(add(row, make("td", "note", relation)));
      });
      return rows;
    };
    const refresh = listing(data.pairs, (pair) => haystack.get(pair).includes(fold(text.value.trim())), pairNode, at("pair-rows"), at("pair-more"), at("pair-count"), "pairs");
    text.addEventListener("input", refresh);
    at("pair-filters").addEventListener("submit", (event) => event.preventDefault());
    refresh();
  };

  // -- layer charts: a cursor reads the values of a layer
  const startProfile = (figure) => {
    const profile = data.profiles[Number(figure.dataset.profile)];
    const chart = figure.querySelector("svg"), cursor = figure.querySelector(".cursor"), readout = figure.querySelector("output");
    const resting = readout.textContent, last = profile.layers.length - 1;
    const LEFT = Number(chart.dataset.start), RIGHT = Number(chart.dataset.end), WIDTH = chart.viewBox.baseVal.width;
    let current = -1;
    const rest = () => { current = -1; cursor.setAttribute("visibility", "hidden"); readout.textContent = resting; };
    const show = (index) => {
      current = Math.max(0, Math.min(last, index));
      const x = LEFT + (last ? current / last : 0) * (RIGHT - LEFT);
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      cursor.setAttribute("visibility", "visible");
      const values = Object.entries(profile.curves).map(([name, means]) => `${data.curves[name]} ${means[current] === null ? "–" : means[current].toFixed(3)}`);
      const entropy = profile.entropy[current];
      readout.textContent = `layer ${profile.layers[current]}: ${values.join(", ")}${entropy === null ? "" : `, entropy ${entropy.toFixed(1)}`}`;
    };
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      show(Math.round((((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (RIGHT - LEFT) * last));
    });
    chart.addEventListener("pointerleave", rest);
    chart.addEventListener("blur", rest);
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      show(current < 0 && step === -1 ? last : current + step);
    });
  };

  if (document.getElementById("item-list")) startItems();
  if (document.getElementById("pair-rows")) startPairs();
  document.querySelectorAll(".profile").forEach(startProfile);

  document.querySelectorAll("main table").forEach(takeTable);
  document.querySelectorAll("main svg[role=img][viewBox]").forEach(takeFigure);
  // What is folded would be missing on paper.
  window.addEventListener("beforeprint", () => document.querySelectorAll("details.more").forEach((each) => { each.open = true; }));

  // -- the table of contents follows the reader
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      links.forEach((link) => link.removeAttribute("aria-current"));
      const link = links.get(entry.target.id);
      if (link) link.setAttribute("aria-current", "true");
    });
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => observer.observe(section));
})();
