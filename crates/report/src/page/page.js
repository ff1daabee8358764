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

  /** A sentence of the program for the page: with a capital, and code where there are backticks. */
  const sentence = (text) => {
    const parts = (text[0].toUpperCase() + text.slice(1)).split("`");
    return make("span", {}, ...parts.map((it, index) => (index % 2 ? make("code", {}, it) : it)), ".");
  };

  /* Each state is drawn with a sign of its own, never by its colour alone. A higher rank matters more. */
  const states = data.states.map(([key, words, sign, rank, fine]) => ({ key, words, sign, rank, fine }));
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
    const row = unit ? null : rows.find((it) => it.id === target);
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
  for (const row of rows) {
    for (let unit = row.unit; unit; unit = unit.parent === null ? null : units[unit.parent]) {
      unit.all += 1;
      if (row.bad) unit.bad += 1;
    }
  }

  const chosen = { text: "", states: new Set(), region: -1, unit: null, order: "worst" };
  let shown = rows;
  let columns = regions.map((_, index) => index);

  const sign = (state) => make("span", { class: `mark s-${state.key}`, "aria-hidden": "true" }, state.sign);
  const stated = (state) => make("span", { class: "state" }, sign(state), state.words);

  /* The head of the page. */
  const tally = states.map(() => 0);
  rows.forEach((row) => row.cells.forEach((cell) => { tally[data.cells[cell].state] += 1; }));
  const total = tally.reduce((sum, it) => sum + it, 0);
  const bad = tally.reduce((sum, it, index) => sum + (states[index].fine ? 0 : it), 0);
  const badRows = rows.filter((it) => it.bad).length;
  const sweep = data.lastSweep ? ` · last sweep ${data.lastSweep}` : "";
  $("facts").textContent = `Organization ${data.organization} · ${data.taken} · by ${data.source}${sweep}`;
  $("verdict").textContent = total === 0
    ? "There is nothing to judge"
    : bad === 0
      ? `All ${plural(rows.length, "account")} are protected wherever that is asked for`
      : `${plural(badRows, "account")} of ${number(rows.length)} need attention, in ${number(bad)} of ${number(total)} accounts × Regions`;
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
    const button = make("button", { type: "button", "aria-pressed": "false", "data-state": state.key, "data-count": count || null, onclick: toggle, disabled: !count }, sign(state), make("b", {}, number(count)), state.words);
    if (count) $("states").append(button);
  });
  data.notes.forEach(([text, hint]) => $("notes").append(make("li", {}, sentence(text), " ", make("span", { class: "soft" }, sentence(hint)))));
  $("end").textContent = `Made by org-backup on ${data.taken}. Effective policies are merged as AWS merges them; which of them AWS withholds is what AWS says.`;

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

  const header = () => {
    const all = columns.map((it) => make("th", { scope: "col", role: "columnheader" }, make("div", { class: "region" }, regions[it])));
    const first = make("th", { scope: "col", role: "columnheader" }, "Account");
    first.style.width = columns.length > 8 ? "250px" : "320px";
    $("head").replaceChildren(make("tr", { role: "row", "aria-rowindex": "1" }, first, ...all));
    matrix.classList.toggle("wide", columns.length <= 8);
    grid.style.minWidth = `${(columns.length > 8 ? 250 : 320) + columns.length * 38}px`;
    grid.setAttribute("aria-colcount", String(columns.length + 1));
  };
  const told = (row, column) => {
    const cell = data.cells[row.cells[column]];
    const why = cell.missing.length ? `: ${cell.missing.map((it) => it[0]).join("; ")}` : "";
    return `${regions[column]}: ${states[cell.state].words}${why}`;
  };
  const makeRow = (row, index) => {
    const path = pathOf(row.unit).join(" / ");
    const link = make("a", { href: `#account-${row.id}`, tabindex: "-1" }, row.name || row.id);
    const head = make("th", { scope: "row", role: "rowheader" }, link, make("small", {}, make("span", { class: "id" }, row.id), path ? ` · ${path}` : ""));
    const cells = columns.map((column) => {
      const words = told(row, column);
      return make("td", { role: "gridcell", tabindex: "-1", title: words, "aria-label": words }, sign(stateOf(row.cells[column])));
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
  const orders = {
    worst: (a, b) => b.worst.rank - a.worst.rank || b.bad - a.bad || a.unit.place - b.unit.place || a.index - b.index,
    tree: (a, b) => a.unit.place - b.unit.place || a.index - b.index,
    name: (a, b) => a.name.localeCompare(b.name) || a.index - b.index,
  };
  /** Shows the chosen rows, from the top. */
  const choose = () => {
    const words = chosen.text.toLowerCase().split(/\s+/).filter(Boolean);
    columns = chosen.region < 0 ? regions.map((_, index) => index) : [chosen.region];
    const unit = chosen.unit;
    shown = rows.filter((row) =>
      (!unit || (row.unit.place >= unit.place && row.unit.place <= unit.last))
      && (!chosen.states.size || columns.some((it) => chosen.states.has(data.cells[row.cells[it]].state)))
      && (!words.length || words.every((it) => textOf(row).includes(it))));
    shown.sort(orders[chosen.order]);
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
    $("search").value = "";
    $("region").value = "-1";
    $("states").querySelectorAll("button").forEach((it) => it.setAttribute("aria-pressed", "false"));
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
  const planOf = (plan) => {
    const rules = plan.rules.map(([name, schedule, vault, days, copies]) => [
      name, make("code", {}, schedule || "chosen by AWS"), vault || "–",
      days === null ? "for ever" : plural(days, "day"), copies.length ? copies.join(", ") : "–",
    ]);
    return make("div", { class: "plan" }, make("h3", {}, plan.name),
      make("p", {}, `In ${plan.regions.join(", ") || "no Region"}; with the role ${plan.roles.join(", ") || "of nobody"}`),
      table(["Rule", "Schedule", "Vault", "Kept", "Copied to"], rules));
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
    rests.push(() => add(Infinity));
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
      if (more) rests.push(() => { if (more.isConnected) reveal(); });
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
  const route = () => {
    const id = location.hash.startsWith("#account-") ? location.hash.slice(9) : "";
    const row = id ? rows.find((it) => it.id === id) : null;
    if (!row) {
      const was = !panel.hidden;
      panel.hidden = true;
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
    const path = ["Root", ...pathOf(row.unit)].join(" / ");
    panel.replaceChildren(
      make("header", {}, make("h2", { id: "account-title", tabindex: "-1" }, row.name || row.id), make("button", { type: "button", class: "close", onclick: close }, "Close"),
        make("p", {}, make("span", { class: "id" }, row.id), ` · ${path}${row.life === "ACTIVE" ? "" : ` · ${row.life}`}${row.id === data.management ? " · management account" : ""}`),
        make("p", {}, stated(row.worst))),
      ...(why.length ? [make("section", {}, make("h3", {}, "What is missing"), make("ul", { class: "why" }, ...why))] : []),
      make("section", {}, make("h3", {}, "Regions"), table(["Region", "State", "Plans", "Vaults and locks", "Roles", "Opt-ins", "Looked at"], lines)),
      make("section", {}, make("h3", {}, "Effective policy"), make("p", { class: "about" }, `Merged from ${chainOf(effective)}. ${plural(rows.filter((it) => it.effective === row.effective).length, "account")} ${rows.filter((it) => it.effective === row.effective).length === 1 ? "has" : "share"} it.`), contentsOf(effective)));
    panel.hidden = false;
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
    /* Showing the rest of a list may make more lists with a rest. */
    while (rests.length) rests.shift()();
    opened = lazies.filter((it) => it.prints && !it.element.open && document.contains(it.element));
    /* Opening one may make others inside it. */
    for (let at = 0; at < lazies.length; at += 1) {
      const it = lazies[at];
      if (it.prints) { it.fill(); it.element.open = true; }
    }
    printing = true;
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
