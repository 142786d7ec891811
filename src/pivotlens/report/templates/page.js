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
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "strip");
    svg.setAttribute("viewBox", `0 0 ${item.r.length * 10} 16`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    item.r.forEach((reading, index) => {
      if (!reading.length) return;
      const rect = document.createElementNS(SVG, "rect");
      const role = roleOf(reading[2]);
      rect.setAttribute("x", index * 10);
      rect.setAttribute("width", 9);
      rect.setAttribute("height", 16);
      rect.setAttribute("class", `r-${role === "other" && !(reading[2] & 1) ? "common" : role}`);
      rect.setAttribute("fill-opacity", (0.15 + 0.85 * reading[1] / 1000).toFixed(2));
      svg.append(rect);
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
      const layer = item.n[index];
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
    return add(frame, add(table, caption, add(make("thead"), head), body));
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
    return add(box, heat(item));
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
    const LEFT = 34, RIGHT = 312, WIDTH = 320;
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
