"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  performance.mark("parsed");

  const ROW = 44;
  const SPARE = 12;
  const SOME = 40;
  const FEW = 8;

  const $ = (id) => document.getElementById(id);
  const number = (it) => it.toLocaleString("en");
  const plural = (count, one, many = one + "s") => `${number(count)} ${count === 1 ? one : many}`;

  /** Makes an element. Text is always set as text, so that no name becomes markup. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((it) => it !== null && it !== undefined));
    return element;
  };

  /** Makes a picture. Its label says everything that it shows. */
  const picture = (width, height, label, ...shapes) => {
    const drawn = (tag, attributes, ...children) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.append(...children);
      return element;
    };
    return drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
      ...shapes.map(([tag, attributes]) => drawn(tag, attributes)));
  };

  /** A sentence of the program for the page: with a capital, and code where there are backticks. */
  const sentence = (text) => {
    const parts = (text[0].toUpperCase() + text.slice(1)).split("`");
    return make("span", {}, ...parts.map((it, index) => (index % 2 ? make("code", {}, it) : it)), ".");
  };

  /* Each state is drawn with a sign of its own, never by its colour alone. A higher rank matters more. */
  const states = data.states.map(([key, words, sign, rank, fine, many]) => ({ key, words, sign, rank, fine, many }));
  const idle = states.reduce((least, it) => (it.rank < least.rank ? it : least));
  const regions = data.regions;
  const units = data.units.map(([id, name, parent], index) => ({ index, id, name: name || id, parent, below: [], all: 0, bad: 0 }));
  units.forEach((it) => { if (it.parent !== null) units[it.parent].below.push(it); });
  units.forEach((it) => it.below.sort((a, b) => a.name.localeCompare(b.name)));
  /* The place of each unit in a walk of the tree from the top, and the place of the last unit below it. */
  let places = 0;
  const walk = (unit, deep) => { unit.deep = deep; unit.place = places++; unit.below.forEach((it) => walk(it, deep + 1)); unit.last = places - 1; };
  if (units.length) walk(units[0], 0);

  const pathOf = (unit) => { const path = []; for (let it = unit; it.parent !== null; it = units[it.parent]) path.unshift(it.name); return path; };
  const nameOf = (target) => {
    const unit = units.find((it) => it.id === target);
    const row = unit ? null : rowOf.get(target);
    return unit ? unit.name : row && row.name ? row.name : target;
  };
  const stateOf = (cell) => states[data.cells[cell].state];

  const rows = data.rows.map(([id, name, life, unit, effective, cells], index) => {
    let worst = idle;
    let bad = 0;
    for (const cell of cells) {
      const state = stateOf(cell);
      if (state.rank > worst.rank) worst = state;
      if (!state.fine) bad += 1;
    }
    return { index, id, name, life, unit: units[unit] || units[0], effective, cells, worst, bad };
  });
  const rowOf = new Map(rows.map((it) => [it.id, it]));
  for (const row of rows) {
    for (let unit = row.unit; unit; unit = unit.parent === null ? null : units[unit.parent]) {
      unit.all += 1;
      if (row.bad) unit.bad += 1;
    }
  }

  /* The resources, as the last sweep found them. */
  const evidence = data.evidence;
  const kinds = evidence ? evidence.states.map(([key, words, sign, rank, fine]) => ({ key, words, sign, rank, fine })) : [];
  /** Adds up the counts of Regions. */
  const sumOf = (parts) => {
    const sum = { states: kinds.map(() => 0), all: 0, copies: [0, 0, 0], test: "", next: "" };
    for (const [, states, copies, test, next] of parts) {
      states.forEach((count, index) => { sum.states[index] += count; sum.all += count; });
      copies.forEach((count, index) => { sum.copies[index] += count; });
      /* Both begin with a date, so that texts compare as times. */
      if (test !== null && evidence.tests[test] > sum.test) sum.test = evidence.tests[test];
      if (next !== null && (!sum.next || evidence.nexts[next] < sum.next)) sum.next = evidence.nexts[next];
    }
    return sum;
  };
  const kindOf = new Map(kinds.map((it, index) => [it.key, index]));
  const counted = (sum, keys) => keys.reduce((all, key) => all + sum.states[kindOf.get(key)], 0);
  const [FRESH, LATE, NOT_COVERED, NOT_KNOWN] = evidence ? evidence.groups : [[], [], [], []];
  if (evidence) {
    for (const row of rows) {
      const found = evidence.accounts[row.id];
      row.days = found ? found[0] : "";
      row.parts = found ? found[1] : null;
      row.sum = row.parts ? sumOf(row.parts) : null;
    }
  }
  const sums = evidence ? sumOf(Object.values(evidence.accounts).flatMap((it) => it[1] || [])) : null;
  /** The counts of an account in the chosen Region, or in all of them. */
  const countsOf = (row) => (chosen.region < 0 || !row.parts ? row.sum : sumOf(row.parts.filter((it) => evidence.regions[it[0]] === regions[chosen.region])));

  const chosen = { view: "protection", text: "", states: new Set(), kinds: new Set(), region: -1, unit: null, order: "worst" };
  let shown = rows;
  let columns = [];

  const sign = (state) => make("span", { class: `mark s-${state.key}`, "aria-hidden": "true" }, state.sign);
  const stated = (state) => make("span", { class: "state" }, sign(state), state.words);

  /* The head of the page. */
  const tally = states.map(() => 0);
  rows.forEach((row) => row.cells.forEach((cell) => { tally[data.cells[cell].state] += 1; }));
  const total = tally.reduce((sum, it) => sum + it, 0);
  const bad = tally.reduce((sum, it, index) => sum + (states[index].fine ? 0 : it), 0);
  const badRows = rows.filter((it) => it.bad).length;
  const sweep = data.lastSweep ? ` · last sweep ${data.lastSweep}` : "";
  const looked = evidence ? ` · backups looked at ${evidence.taken} by ${evidence.program}` : "";
  $("facts").textContent = `Organization ${data.organization} · ${data.taken} · by ${data.source}, ${data.program}${sweep}${looked}`;
  const all = (count, one) => (count === 1 ? `The only ${one} is` : `All ${plural(count, one)} are`);
  const atLeast = (words, isLeast) => (isLeast ? `At least ${words}` : words);
  const needs = (count, of, one) => `${plural(count, one)} of ${number(of)} ${count === 1 ? "needs" : "need"} attention`;
  if (data.nothing) {
    const [why, steps] = data.nothing;
    $("next").append(sentence(why), " What to do next:", make("ul", { class: "taken" }, ...steps.map(([command, words]) => make("li", {}, make("code", {}, command), `: ${words}`))));
    $("next").hidden = false;
  }
  $("verdict").textContent = total === 0
    ? "There is nothing to judge"
    : bad === 0
      ? `${all(rows.length, "account")} protected wherever that is asked for`
      : `${needs(badRows, rows.length, "account")}, in ${number(bad)} of ${number(total)} accounts × Regions`;
  tally.forEach((count, index) => {
    const state = states[index];
    if (count) {
      const part = make("i", { class: `s-${state.key}` });
      part.style.flexGrow = String(count);
      $("bar").append(part);
    }
    const toggle = () => {
      if (!chosen.states.delete(index)) chosen.states.add(index);
      button.setAttribute("aria-pressed", String(chosen.states.has(index)));
      choose();
    };
    const button = make("button", { type: "button", "aria-pressed": "false", "data-state": state.key, "data-count": count || null, onclick: toggle, disabled: !count }, sign(state), make("b", {}, number(count)), state.many);
    if (count) $("states").append(button);
  });
  const signKind = (kind) => make("span", { class: `mark k-${kind.key}`, "aria-hidden": "true" }, kind.sign);
  if (evidence) {
    const [badOnes, isLeast] = evidence.bad;
    $("proof").textContent = sums.all === 0
      ? "No sweep has found a resource yet"
      : badOnes === 0 ? `${all(sums.all, "resource")} backed up as the plans say` : atLeast(needs(badOnes, sums.all, "resource"), isLeast);
    sums.states.forEach((count, index) => {
      if (!count) return;
      const kind = kinds[index];
      const part = make("i", { class: `k-${kind.key}` });
      part.style.flexGrow = String(count);
      $("proof-bar").append(part);
      const toggle = () => {
        if (!chosen.kinds.delete(kind.key)) chosen.kinds.add(kind.key);
        button.setAttribute("aria-pressed", String(chosen.kinds.has(kind.key)));
        look("resources");
      };
      /* Resources that need nothing are counted and not named. */
      const button = make("button", { type: "button", "aria-pressed": "false", "data-kind": kind.key, "data-count": count, onclick: toggle, disabled: kind.fine }, signKind(kind), make("b", {}, number(count)), kind.words);
      $("proof-states").append(button);
    });
    if (evidence.trend.length > 1) $("trend").append(trend());
    if (evidence.change) {
      const { since, causes, more } = evidence.change;
      $("change").append(make("h3", {}, `Since ${since}`), causes.length
        ? make("ul", {}, ...causes.map(([words, was, is, heading]) => make("li", {}, make("b", {}, `${heading}: `), sentence(words), make("span", { class: "soft" }, ` ${number(was)} → ${plural(is, "resource")}`))))
        : make("p", { class: "soft" }, "Nothing changed."),
        ...(more ? [make("p", { class: "soft" }, `and ${plural(more, "more change")}; org-backup report --since shows all of them`)] : []));
    }
    $("evidence").hidden = false;
  }
  data.notes.forEach(([text, hint]) => $("notes").append(make("li", {}, sentence(text), " ", make("span", { class: "soft" }, sentence(hint)))));
  $("end").textContent = `Made by ${data.program} on ${data.taken}. Effective policies are merged as AWS merges them; AWS says which of them it withholds.`;

  /** The share of resources that need nothing, day by day. */
  function trend() {
    const share = (counts) => {
      const all = counts.reduce((sum, it) => sum + it, 0);
      return all ? counts.reduce((sum, it, index) => sum + (kinds[index].fine ? it : 0), 0) / all : 1;
    };
    const days = evidence.trend.map(([day, counts]) => [day, share(counts)]);
    const [first, last] = [days[0], days[days.length - 1]];
    const least = Math.min(...days.map((it) => it[1]));
    const floor = least >= 1 ? 0 : least - (1 - least) * 0.2;
    const x = (index) => (4 + (index * 292) / (days.length - 1)).toFixed(1);
    const y = (it) => (44 - ((it - floor) / (1 - floor)) * 40).toFixed(1);
    const percent = (it) => `${(Math.floor(it * 1000) / 10).toLocaleString("en")} %`;
    const label = `On ${first[0]} ${percent(first[1])} of the resources needed no action, and on ${last[0]} ${percent(last[1])}. The least was ${percent(least)}.`;
    return make("figure", {}, picture(300, 48, label,
      ["path", { class: "grid", d: "M4 44H296M4 4H296" }],
      ["path", { class: "line", d: days.map((it, index) => `${index ? "L" : "M"}${x(index)} ${y(it[1])}`).join("") }]),
      make("figcaption", { class: "soft" }, label));
  }

  /* The last thirty days of an account. The taller a square, the more it matters. */
  const DAYS = new Map(evidence ? evidence.days.map(([code, words, height]) => [code, { words, height }]) : []);
  const NO_SWEEP = " ";
  const daysOf = (days) => {
    const told = new Map();
    const shapes = [...days].flatMap((code, index) => {
      if (code === NO_SWEEP) return [];
      const { words, height } = DAYS.get(code);
      told.set(words, (told.get(words) || 0) + 1);
      return [["rect", { class: `d-${code}`, x: index * 6, y: 16 - height, width: 5, height }]];
    });
    const words = [...told].map(([it, count]) => `${plural(count, "day")} ${it}`).join(", ");
    return picture(days.length * 6, 16, words ? `Last ${days.length} days: ${words}` : `No sweep in the last ${days.length} days`, ...shapes);
  };
  const copiesOf = ([fine, late, unknown]) => (fine + late + unknown ? `${number(fine)} of ${number(fine + late + unknown)}` : "–");
  const NUMBERS = [
    ["Resources", 84, (sum) => number(sum.all)],
    ["Fresh", 70, (sum) => number(counted(sum, FRESH))],
    ["Late", 70, (sum) => number(counted(sum, LATE))],
    ["Not covered", 84, (sum) => number(counted(sum, NOT_COVERED))],
    ["Not known", 76, (sum) => number(counted(sum, NOT_KNOWN))],
    ["Copies", 100, (sum) => copiesOf(sum.copies)],
    ["Restore test", 170, (sum) => sum.test || "–"],
  ];

  /* The tree. Only units are in it, of which there are few; it is made once. */
  const tree = $("tree");
  const branches = units.slice().sort((a, b) => a.place - b.place);
  const isOpen = (unit) => { for (let it = unit; it.parent !== null; it = units[it.parent]) if (units[it.parent].closed) return false; return true; };
  branches.forEach((unit) => {
    unit.closed = unit.deep >= 2 && units.length > 60;
    const name = make("span", { class: "name", title: unit.id }, unit.name);
    const counts = unit.bad ? make("span", { class: "bad" }, number(unit.bad)) : null;
    unit.twist = make("span", { class: "twist", "aria-hidden": "true", onclick: (event) => { event.stopPropagation(); fold(unit, !unit.closed); } });
    unit.item = make("li", { role: "treeitem", tabindex: unit.parent === null ? "0" : "-1", "aria-level": unit.deep + 1, "aria-selected": "false", "aria-label": `${unit.name}, ${plural(unit.all, "account")}, ${number(unit.bad)} need attention`, onclick: () => pick(unit) }, unit.twist, name, counts, make("span", { class: "all" }, number(unit.all)));
    unit.item.style.setProperty("--deep", String(unit.deep));
    tree.append(unit.item);
  });
  const fold = (unit, closed) => {
    unit.closed = closed && unit.below.length > 0;
    branches.forEach((it) => {
      it.item.hidden = !isOpen(it);
      if (it.below.length) it.item.setAttribute("aria-expanded", String(!it.closed));
      it.twist.textContent = it.below.length ? (it.closed ? "▸" : "▾") : "";
    });
  };
  const focusUnit = (unit) => {
    branches.forEach((it) => it.item.setAttribute("tabindex", it === unit ? "0" : "-1"));
    unit.item.focus();
  };
  const pick = (unit) => {
    chosen.unit = chosen.unit === unit || unit.parent === null ? null : unit;
    branches.forEach((it) => it.item.setAttribute("aria-selected", String(it === (chosen.unit || units[0]))));
    choose();
  };
  tree.addEventListener("keydown", (event) => {
    const visible = branches.filter((it) => !it.item.hidden);
    const at = visible.findIndex((it) => it.item === document.activeElement);
    if (at < 0) return;
    const unit = visible[at];
    const moves = {
      ArrowDown: () => visible[at + 1] && focusUnit(visible[at + 1]),
      ArrowUp: () => visible[at - 1] && focusUnit(visible[at - 1]),
      Home: () => focusUnit(visible[0]),
      End: () => focusUnit(visible[visible.length - 1]),
      ArrowRight: () => (unit.closed ? fold(unit, false) : unit.below.length && focusUnit(unit.below[0])),
      ArrowLeft: () => (!unit.closed && unit.below.length ? fold(unit, true) : unit.parent !== null && focusUnit(units[unit.parent])),
      Enter: () => pick(unit),
      " ": () => pick(unit),
    };
    if (moves[event.key]) { event.preventDefault(); moves[event.key](); }
  });

  /* The matrix: only the rows that are in sight exist. */
  const matrix = $("matrix");
  const grid = $("grid");
  const body = $("body");
  const before = make("tr", { "aria-hidden": "true" });
  const after = make("tr", { "aria-hidden": "true" });
  const made = new Map();
  const active = { row: 0, column: 0 };
  let printing = false;

  const told = (row, column) => {
    const cell = data.cells[row.cells[column]];
    const why = cell.missing.length ? `: ${cell.missing.map((it) => it[0]).join("; ")}` : "";
    return `${regions[column]}: ${states[cell.state].words}${why}`;
  };
  const ofRegions = regions.map((head, region) => ({
    head, region, width: 38, kind: "region", words: (row) => told(row, region), draw: (row) => sign(stateOf(row.cells[region])),
  }));
  const ofNumbers = NUMBERS.map(([head, width, value]) => {
    const words = (row) => { const sum = countsOf(row); return sum ? value(sum) : "not looked into"; };
    return { head, width, kind: "number", words: (row) => `${head}: ${words(row)}`, draw: (row) => (row.sum ? words(row) : "–") };
  });
  const ofDays = { head: "Last 30 days", width: 196, kind: "days", words: (row) => daysOf(row.days || "").getAttribute("aria-label"), draw: (row) => daysOf(row.days || "") };
  const columnsOf = () => (chosen.view === "backups"
    ? [...ofNumbers, ofDays]
    : ofRegions.filter((it) => chosen.region < 0 || it.region === chosen.region));
  const header = () => {
    const isFew = columns.length <= 8 && chosen.view === "protection";
    const all = columns.map((it) => {
      const head = make("th", { scope: "col", role: "columnheader" }, make("div", { class: it.kind }, it.head));
      if (it.kind !== "region") head.style.width = `${it.width}px`;
      return head;
    });
    const first = make("th", { scope: "col", role: "columnheader" }, "Account");
    const room = isFew ? 320 : 250;
    first.style.width = `${room}px`;
    $("head").replaceChildren(make("tr", { role: "row", "aria-rowindex": "1" }, first, ...all));
    matrix.classList.toggle("wide", isFew);
    grid.style.minWidth = `${room + columns.reduce((sum, it) => sum + it.width, 0)}px`;
    grid.setAttribute("aria-colcount", String(columns.length + 1));
  };
  const makeRow = (row, index) => {
    const path = pathOf(row.unit).join(" / ");
    const link = make("a", { href: `#account-${row.id}`, tabindex: "-1" }, row.name || row.id);
    const head = make("th", { scope: "row", role: "rowheader" }, link, make("small", {}, make("span", { class: "id" }, row.id), path ? ` · ${path}` : ""));
    const cells = columns.map((column) => {
      const words = column.words(row);
      return make("td", { role: "gridcell", tabindex: "-1", title: words, "aria-label": words }, column.draw(row));
    });
    const element = make("tr", { class: "row", role: "row", "aria-rowindex": index + 2 }, head, ...cells);
    element.index = index;
    return element;
  };
  const draw = () => {
    const from = printing ? 0 : Math.max(0, Math.floor(matrix.scrollTop / ROW) - SPARE);
    const count = Math.ceil((matrix.clientHeight || 800) / ROW) + 2 * SPARE;
    const to = printing ? shown.length : Math.min(shown.length, from + count);
    const held = body.contains(document.activeElement);
    for (const [index, element] of made) {
      if (index < from || index >= to) { element.remove(); made.delete(index); }
    }
    let next = before;
    for (let index = from; index < to; index += 1) {
      let element = made.get(index);
      if (!element) { element = makeRow(shown[index], index); made.set(index, element); }
      if (next.nextSibling !== element) next.after(element);
      next = element;
    }
    before.style.height = `${from * ROW}px`;
    after.style.height = `${(shown.length - to) * ROW}px`;
    before.hidden = from === 0;
    after.hidden = to === shown.length;
    rove();
    /* If the focused cell is scrolled away, the keyboard goes on from its place. */
    if (held && !body.contains(document.activeElement)) matrix.focus({ preventScroll: true });
  };
  const target = () => {
    const element = made.get(active.row);
    if (!element) return null;
    return active.column === 0 ? element.firstChild.firstChild : element.children[active.column];
  };
  const rove = () => {
    body.querySelectorAll('[tabindex="0"]').forEach((it) => it.setAttribute("tabindex", "-1"));
    const element = target() || (made.size ? made.get(Math.min(...made.keys())).firstChild.firstChild : null);
    if (element) element.setAttribute("tabindex", "0");
  };
  const go = (row, column) => {
    if (!shown.length) return;
    active.row = Math.max(0, Math.min(shown.length - 1, row));
    active.column = Math.max(0, Math.min(columns.length, column));
    const room = $("head").offsetHeight;
    const top = active.row * ROW;
    if (top < matrix.scrollTop) matrix.scrollTop = top;
    else if (top + ROW + room > matrix.scrollTop + matrix.clientHeight) matrix.scrollTop = top + ROW + room - matrix.clientHeight;
    draw();
    const element = target();
    if (element) { element.focus({ preventScroll: true }); element.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  };
  matrix.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(matrix.clientHeight / ROW) - 2);
    const { row, column } = active;
    const moves = {
      ArrowDown: () => go(row + 1, column), ArrowUp: () => go(row - 1, column),
      ArrowRight: () => go(row, column + 1), ArrowLeft: () => go(row, column - 1),
      PageDown: () => go(row + page, column), PageUp: () => go(row - page, column),
      Home: () => (event.ctrlKey ? go(0, 0) : go(row, 0)),
      End: () => (event.ctrlKey ? go(shown.length - 1, columns.length) : go(row, columns.length)),
      Enter: () => { if (shown[row]) location.hash = `account-${shown[row].id}`; },
    };
    if (moves[event.key] && event.target.tagName !== "BUTTON") { event.preventDefault(); moves[event.key](); }
  });
  matrix.addEventListener("focusin", (event) => {
    const element = event.target.closest("tr.row");
    if (!element) return;
    active.row = element.index;
    const cell = event.target.closest("td, th");
    active.column = Array.prototype.indexOf.call(element.children, cell);
    rove();
  });
  body.addEventListener("click", (event) => {
    const element = event.target.closest("td");
    if (element) location.hash = `account-${shown[element.parentNode.index].id}`;
  });
  let due = false;
  matrix.addEventListener("scroll", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  }, { passive: true });
  addEventListener("resize", () => draw());

  const texts = [];
  const textOf = (row) => {
    if (!texts[row.index]) texts[row.index] = `${row.name} ${row.id} ${pathOf(row.unit).join(" ")}`.toLowerCase();
    return texts[row.index];
  };
  const troubleOf = (row) => (row.sum ? counted(countsOf(row), [...LATE, ...NOT_COVERED]) : -1);
  const orders = {
    /* Of resources, those that should be backed up and are not matter most. */
    backups: (a, b) => troubleOf(b) - troubleOf(a) || b.worst.rank - a.worst.rank || a.index - b.index,
    worst: (a, b) => b.worst.rank - a.worst.rank || b.bad - a.bad || a.unit.place - b.unit.place || a.index - b.index,
    tree: (a, b) => a.unit.place - b.unit.place || a.index - b.index,
    name: (a, b) => a.name.localeCompare(b.name) || a.index - b.index,
  };
  const isBelow = (row) => !chosen.unit || (row.unit.place >= chosen.unit.place && row.unit.place <= chosen.unit.last);

  /** Shows the resources that need action, and that are chosen. */
  const lineOf = ([arn, type, account, region, state, causes, newest, until]) => {
    const row = rowOf.get(account);
    const told = causes.map((it) => evidence.causes[it]);
    return make("div", { class: "finding" }, signKind(kinds[state]), make("div", {},
      make("p", { class: "id" }, arn),
      make("p", {}, ...told.map((it) => sentence(it)), told.length ? "" : sentence(kinds[state].words)),
      make("p", { class: "soft" }, `${type ? `${type} · ` : ""}${region} · `, row ? make("a", { href: `#account-${account}` }, row.name || account) : account,
        newest ? ` · newest backup ${newest}` : " · no backup", until ? ` · kept until ${until}` : "")));
  };
  const showResources = (words) => {
    const all = evidence.resources.filter((it) => {
      const [arn, type, account, region, state] = it;
      const row = rowOf.get(account);
      const text = () => `${arn} ${type} ${row ? textOf(row) : account}`.toLowerCase();
      return (!chosen.unit || (row && isBelow(row)))
        && (chosen.region < 0 || region === regions[chosen.region])
        && (!chosen.kinds.size || chosen.kinds.has(kinds[state].key))
        && words.every((word) => text().includes(word));
    });
    const [bad, isLeast] = evidence.bad;
    const named = bad > evidence.resources.length || isLeast ? ` among the first ${number(evidence.resources.length)} of ${isLeast ? "at least " : ""}${number(bad)}; org-backup coverage lists all` : "";
    $("count").textContent = plural(all.length, "resource") + named;
    const list = make("div", {});
    $("resources").replaceChildren(list);
    if (!all.length) list.append(make("p", { class: "about" }, "No resource that needs action is like this."));
    else some(list, all, lineOf);
    $("empty").hidden = true;
  };
  /** Shows the accounts by protection, the accounts by their backups, or resources. */
  const views = [["protection", "Protection"], ["backups", "Backups"], ["resources", "Resources"]];
  const look = (view) => {
    chosen.view = view;
    views.forEach(([key]) => {
      const tab = $(`view-${key}`);
      tab.setAttribute("aria-selected", String(key === view));
      tab.setAttribute("tabindex", key === view ? "0" : "-1");
    });
    choose();
  };
  views.forEach(([key, words], index) => {
    const tab = make("button", { type: "button", role: "tab", id: `view-${key}`, "aria-selected": String(index === 0), "aria-controls": key === "resources" ? "resources" : "matrix", tabindex: index ? "-1" : "0", onclick: () => look(key) }, words);
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = views[(index + step + views.length) % views.length][0];
      look(next);
      $(`view-${next}`).focus();
    });
    $("views").append(tab);
  });
  $("views").hidden = !evidence;

  /** Shows the chosen rows, from the top. */
  const choose = () => {
    const words = chosen.text.toLowerCase().split(/\s+/).filter(Boolean);
    columns = columnsOf();
    const here = ofRegions.filter((it) => chosen.region < 0 || it.region === chosen.region);
    const isChosen = (row) => isBelow(row)
      && (!chosen.states.size || here.some((it) => chosen.states.has(data.cells[row.cells[it.region]].state)));
    shown = rows.filter((row) => isChosen(row) && (!words.length || words.every((it) => textOf(row).includes(it))));
    shown.sort(orders[chosen.view === "backups" && chosen.order === "worst" ? "backups" : chosen.order]);
    matrix.hidden = chosen.view === "resources";
    $("keys").hidden = matrix.hidden;
    $("resources").hidden = !matrix.hidden;
    if (!$("resources").hidden) { showResources(words); return; }
    $("count").textContent = shown.length === rows.length ? plural(rows.length, "account") : `${number(shown.length)} of ${plural(rows.length, "account")}`;
    $("empty").hidden = shown.length > 0;
    grid.hidden = shown.length === 0;
    grid.setAttribute("aria-rowcount", String(shown.length + 1));
    made.clear();
    body.replaceChildren(before, after);
    active.row = 0;
    matrix.scrollTop = 0;
    header();
    draw();
  };
  $("search").addEventListener("input", (event) => { chosen.text = event.target.value; choose(); });
  $("region").append(make("option", { value: "-1" }, "All"), ...regions.map((it, index) => make("option", { value: index }, it)));
  $("region").addEventListener("change", (event) => { chosen.region = Number(event.target.value); choose(); });
  $("order").addEventListener("change", (event) => { chosen.order = event.target.value; choose(); });
  $("reset").addEventListener("click", () => {
    Object.assign(chosen, { text: "", region: -1, unit: null });
    chosen.states.clear();
    chosen.kinds.clear();
    $("search").value = "";
    $("region").value = "-1";
    document.querySelectorAll("[aria-pressed]").forEach((it) => it.setAttribute("aria-pressed", "false"));
    branches.forEach((it) => it.item.setAttribute("aria-selected", String(it === units[0])));
    choose();
    $("search").focus();
  });

  /* Policies. Each is made when it is opened. */
  const originOf = ([operator, policy, place]) => `${data.policies[policy] || policy} (${operator} at ${nameOf(place)})`;
  const valueOf = (value) => (Array.isArray(value) ? value.join(", ") : value);
  const table = (heads, lines, even = false) => make("div", { class: "scroll" }, make("table", { class: even ? "table even" : "table" },
    make("thead", {}, make("tr", {}, ...heads.map((it) => make("th", { scope: "col" }, it)))),
    make("tbody", {}, ...lines.map((line) => make("tr", {}, ...line.map((it) => make("td", {}, it)))))));
  const longest = Math.max(1, ...data.effective.flatMap((it) => it.plans).flatMap((it) => it.rules).flatMap((it) => [it[3], ...it[4].map((copy) => copy[1])]));
  const kept = (days) => (days === null ? "for ever" : plural(days, "day"));
  /** The retention of the backups of a rule and of their copies, as bars of one scale for all rules. */
  const barsOf = (days, copies) => {
    const bars = [["backups", days], ...copies.map((it) => ["copies", it[1]])];
    const width = (it) => (it === null ? 120 : Math.max(2, (120 * Math.log1p(it)) / Math.log1p(longest)));
    const label = bars.map(([words, it]) => `${words} ${kept(it)}`).join(", ");
    return make("span", {}, picture(120, bars.length * 8, `Kept: ${label}`, ...bars.map(([words, it], index) => ["rect", { class: it === null ? `b-${words} ever` : `b-${words}`, x: 0, y: index * 8, width: width(it).toFixed(1), height: 6 }])), make("br"), label);
  };
  const planOf = (plan) => {
    const rules = plan.rules.map(([name, schedule, vault, days, copies, next]) => [
      name, make("code", {}, schedule || "chosen by AWS"), next || "–", vault || "–", barsOf(days, copies), copies.length ? copies.map((it) => it[0]).join(", ") : "–",
    ]);
    const taken = plan.selections.map(([name, words]) => make("li", {}, make("b", {}, name), ": ", sentence(words)));
    return make("div", { class: "plan" }, make("h3", {}, plan.name),
      make("p", {}, `In ${plan.regions.join(", ") || "no Region"}; with the role ${plan.roles.join(", ") || "(none)"}`),
      taken.length ? make("ul", { class: "taken" }, ...taken) : make("p", {}, "It selects no resource."),
      table(["Rule", "Schedule", "Next run", "Vault", "Kept", "Copied to"], rules));
  };
  const contentsOf = (effective) => {
    const parts = effective.errors.map((it) => make("p", { class: "s-withheld" }, it));
    if (!effective.plans.length) parts.push(make("p", { class: "about" }, "No plan reaches this account."));
    parts.push(...effective.plans.map(planOf));
    if (effective.settings.length) {
      const lines = effective.settings.map(([path, value, origins]) => [
        make("code", {}, path), valueOf(value), make("span", {}, ...origins.flatMap((it, index) => (index ? [make("br"), originOf(it)] : [originOf(it)]))),
      ]);
      parts.push(lazy("Where each setting comes from", () => table(["Setting", "Value", "Set by"], lines, true), true));
      parts.push(lazy("The document", () => make("pre", {}, JSON.stringify(effective.document, null, 2)), false));
    }
    return make("div", {}, ...parts);
  };
  /** Elements whose content is made when they are opened or printed. */
  const lazies = [];
  const lazy = (title, build, open, kind = "inner", summary = [title]) => {
    const element = make("details", { class: kind }, make("summary", {}, ...summary));
    let done = false;
    const fill = () => { if (!done) { done = true; element.append(build()); } };
    element.addEventListener("toggle", () => { if (element.open) fill(); });
    if (open) { fill(); element.open = true; }
    lazies.push({ element, fill, prints: title !== "The document" });
    return element;
  };
  const chainOf = (effective) => effective.chain.map((it) => `${data.attached[it].map((id) => data.policies[id] || id).join(" and ")} at ${nameOf(it)}`).join(", then ") || "nothing";
  const drawPolicies = () => {
    const counts = data.effective.map(() => 0);
    rows.forEach((row) => { counts[row.effective] += 1; });
    const order = data.effective.map((_, index) => index).sort((a, b) => counts[b] - counts[a]);
    const one = (index) => {
      const effective = data.effective[index];
      const names = effective.plans.map((it) => it.name).join(", ") || "no plan";
      const summary = [make("b", {}, names), " ", make("span", {}, `· ${plural(counts[index], "account")} · ${chainOf(effective)}`)];
      return lazy(names, () => contentsOf(effective), false, "policy", summary);
    };
    some($("policies"), order, one);
  };

  /** Adds the first of `all`, and the others when they are asked for. */
  const rests = [];
  const some = (place, all, one) => {
    let at = 0;
    const add = (count) => { place.append(...all.slice(at, at + count).map(one)); at += count; if (at < all.length) { button.textContent = `Show more of ${number(all.length)}`; place.append(button); } else button.remove(); };
    const button = make("button", { type: "button", class: "more", onclick: () => add(SOME * 5) });
    rests.push({ place, show: () => add(Infinity) });
    add(SOME);
  };

  /* Everything that is missing, each item once, with the accounts that lack it. */
  const drawFindings = () => {
    const groups = new Map();
    rows.forEach((row) => row.cells.forEach((index, column) => {
      const cell = data.cells[index];
      const state = states[cell.state];
      if (state.fine) return;
      cell.missing.forEach(([problem, hint]) => {
        const text = problem.replaceAll(row.id, "<account>");
        const key = `${state.rank} ${text} ${hint}`;
        if (!groups.has(key)) groups.set(key, { state, text, hint, cells: 0, accounts: new Map() });
        const group = groups.get(key);
        group.cells += 1;
        if (!group.accounts.has(row)) group.accounts.set(row, []);
        group.accounts.get(row).push(column);
      });
    }));
    const all = [...groups.values()].sort((a, b) => b.state.rank - a.state.rank || b.cells - a.cells);
    if (!all.length) { $("findings").append(make("p", { class: "about" }, "Nothing.")); return; }
    some($("findings"), all, (group) => {
      const accounts = [...group.accounts];
      const link = ([row], index) => [index ? ", " : "", make("a", { href: `#account-${row.id}` }, row.name || row.id)];
      const names = accounts.slice(0, FEW).flatMap(link);
      const others = accounts.slice(FEW);
      const reveal = () => more.replaceWith(...others.flatMap((it) => link(it, 1)));
      const more = others.length ? make("button", { type: "button", class: "link", onclick: reveal }, ` and ${number(others.length)} more`) : "";
      if (more) rests.push({ place: more, show: reveal });
      const lacked = new Set(accounts.flatMap(([, list]) => list));
      const where = lacked.size === regions.length && regions.length > 1 ? "every Region" : lacked.size > 4 ? `${lacked.size} Regions` : [...lacked].map((it) => regions[it]).join(", ");
      return make("div", { class: "finding" }, sign(group.state), make("div", {},
        make("p", {}, sentence(group.text)), make("p", { class: "soft" }, `${plural(accounts.length, "account")}, ${where}: `, ...names, more),
        make("p", { class: "soft" }, sentence(group.hint))));
    });
  };

  /* One account. */
  const panel = $("account");
  let opener = null;
  const close = () => { if (location.hash.startsWith("#account-")) history.pushState(null, "", location.pathname + location.search); route(); };
  /** The backups of an account, Region by Region, and its resources that need action. */
  const backupsOf = (row) => {
    if (!evidence) return [];
    if (!row.parts) return [make("section", {}, make("h3", {}, "Backups"), make("p", { class: "about" }, "The last sweep did not look into this account."))];
    const lines = row.parts.map((part) => {
      const sum = sumOf([part]);
      return [make("span", { class: "nowrap" }, evidence.regions[part[0]]), ...NUMBERS.map(([, , value]) => value(sum)), sum.next || "–"];
    });
    const bad = evidence.resources.filter((it) => it[2] === row.id);
    const list = make("div", {});
    if (bad.length) some(list, bad, lineOf);
    const none = make("p", { class: "about" }, "There is no resource in this account.");
    return [make("section", {}, make("h3", {}, "Backups"), daysOf(row.days), make("p", { class: "soft" }, daysOf(row.days).getAttribute("aria-label")),
      lines.length ? table(["Region", ...NUMBERS.map((it) => it[0]), "Next run"], lines) : none, list)];
  };
  const route = () => {
    const id = location.hash.startsWith("#account-") ? location.hash.slice(9) : "";
    const row = id ? rowOf.get(id) : null;
    if (!row) {
      const was = !panel.hidden;
      panel.hidden = true;
      document.body.classList.remove("one");
      panel.replaceChildren();
      document.title = `Backup report · ${data.organization}`;
      if (was && opener && document.contains(opener)) opener.focus();
      else if (was) go(active.row, active.column);
      return;
    }
    if (panel.hidden) opener = document.activeElement === document.body ? null : document.activeElement;
    const effective = data.effective[row.effective];
    const groups = new Map();
    row.cells.forEach((index, column) => data.cells[index].missing.forEach(([problem, hint]) => {
      const key = `${problem}\n${hint}`;
      if (!groups.has(key)) groups.set(key, { problem, hint, state: stateOf(index), columns: [] });
      groups.get(key).columns.push(column);
    }));
    const why = [...groups.values()].map((it) => {
      const where = it.columns.length === regions.length && regions.length > 1 ? "Every Region" : it.columns.map((column) => regions[column]).join(", ");
      return make("li", {}, sign(it.state), make("div", {}, make("p", {}, sentence(it.problem)), make("p", { class: "soft" }, `${where}. `, sentence(it.hint))));
    });
    const alike = new Map();
    row.cells.forEach((index, column) => alike.set(index, [...(alike.get(index) || []), regions[column]]));
    const lines = [...alike].map(([index, list]) => {
      const cell = data.cells[index];
      const names = list.flatMap((it, at) => [at ? ", " : "", make("span", { class: "nowrap" }, it)]);
      return [make("span", {}, ...(list.length === regions.length && list.length > 1 ? ["every Region"] : names)), stated(states[cell.state]), cell.plans.join(", ") || "–", cell.vaults.join(", ") || "–", cell.roles.join(", ") || "–", cell.optIns || "–", cell.known];
    });
    const deleters = new Set(row.cells.flatMap((it) => data.cells[it].deleters));
    const path = ["Root", ...pathOf(row.unit)].join(" / ");
    panel.replaceChildren(
      make("header", {}, make("h2", { id: "account-title", tabindex: "-1" }, row.name || row.id), make("button", { type: "button", class: "close", onclick: close }, "Close"),
        make("p", {}, make("span", { class: "id" }, row.id), ` · ${path}${row.life === "ACTIVE" ? "" : ` · ${row.life}`}${row.id === data.management ? " · management account" : ""}`),
        make("p", {}, stated(row.worst))),
      ...(why.length ? [make("section", {}, make("h3", {}, "What is missing"), make("ul", { class: "why" }, ...why))] : []),
      ...backupsOf(row),
      ...(deleters.size ? [make("section", {}, make("h3", {}, "Who may delete backups"), make("ul", { class: "taken" }, ...[...deleters].map((it) => make("li", {}, sentence(it)))), make("p", { class: "about" }, "Resource control policies, and policies of IAM and of sessions, are not looked at. They may deny more than this."))] : []),
      make("section", {}, make("h3", {}, "Regions"), table(["Region", "State", "Plans", "Vaults and locks", "Roles", "Opt-ins", "Looked at"], lines)),
      make("section", {}, make("h3", {}, "Effective policy"), make("p", { class: "about" }, `Merged from ${chainOf(effective)}. ${plural(rows.filter((it) => it.effective === row.effective).length, "account")} ${rows.filter((it) => it.effective === row.effective).length === 1 ? "has" : "share"} it.`), contentsOf(effective)));
    panel.hidden = false;
    /* On paper, an account that is open is the whole document. */
    document.body.classList.add("one");
    panel.scrollTop = 0;
    document.title = `${row.name || row.id} · Backup report`;
    $("account-title").focus({ preventScroll: true });
  };
  addEventListener("hashchange", route);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && !panel.hidden) close();
    else if (event.key === "/" && !typing) { event.preventDefault(); $("search").focus(); }
  });

  /* On paper, everything that is chosen is open. */
  let opened = [];
  addEventListener("beforeprint", () => {
    /* A choice of accounts or resources is printed without what the others lack. */
    const isAll = shown.length === rows.length && chosen.view !== "resources";
    document.body.classList.toggle("chosen", !isAll);
    const paper = !panel.hidden ? panel : isAll ? document : $("matrix").parentElement;
    /* Showing the rest of a list may make more lists with a rest. */
    for (let at = 0; at < rests.length;) {
      if (paper.contains(rests[at].place)) { rests.splice(at, 1)[0].show(); at = 0; } else at += 1;
    }
    const prints = (it) => it.prints && paper.contains(it.element);
    opened = lazies.filter((it) => prints(it) && !it.element.open);
    /* Opening one may make others inside it. */
    for (let at = 0; at < lazies.length; at += 1) {
      const it = lazies[at];
      if (prints(it)) { it.fill(); it.element.open = true; }
    }
    printing = panel.hidden;
    draw();
  });
  addEventListener("afterprint", () => {
    opened.forEach((it) => { it.element.open = false; });
    printing = false;
    draw();
  });

  $("main").hidden = false;
  if (units.length) { fold(units[0], false); units[0].item.setAttribute("aria-selected", "true"); }
  choose();
  route();
  performance.mark("usable");
  performance.measure("until usable", { start: 0, end: "usable" });
  /* The parts further down can wait until the matrix is on the screen. */
  requestAnimationFrame(() => setTimeout(() => { drawFindings(); drawPolicies(); performance.mark("complete"); }, 0));
})();
