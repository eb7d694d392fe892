// Conveniences only: the report is whole without them.
"use strict";
(() => {
  // Elements, words and numbers

  const root = document.documentElement;
  const language = root.lang;
  const words = document.getElementById("words").dataset;
  const stored = document.getElementById("page-data");
  const data = stored ? JSON.parse(stored.textContent) : null;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const made = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const make = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) =>
    made(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const button = (text, attributes = {}) => make("button", { type: "button", ...attributes }, text);
  const copyOf = (id) => document.getElementById(id).content.cloneNode(true);
  const badge = (outcome) => make("span", { class: `badge badge-${outcome}` }, words[outcome]);

  const written = (value, places, signed = false) =>
    new Intl.NumberFormat(language, {
      minimumFractionDigits: places,
      maximumFractionDigits: places,
      signDisplay: signed ? "exceptZero" : "negative",
    })
      .format(value)
      .replace("-", "\u2212");
  const PLACES = { share: 1, points: 1, relative: 1, loss: 4, epochs: 1, score: 3 };
  const inUnit = (value, unit, signed = false) => {
    if (["share", "points", "relative"].includes(unit)) return written(100 * value, 1, signed);
    if (unit in PLACES) return written(value, PLACES[unit], signed);
    return written(value, value ? Math.max(2 - Math.floor(Math.log10(Math.abs(value))), 0) : 0, signed);
  };
  const asP = (p) => (p < 0.001 ? `<\u00a0${written(0.001, 3)}` : written(p, 1 - Math.floor(Math.log10(p))));

  // The state of the page stands in its address.

  const state = new URLSearchParams(location.search);
  const remember = (name, value) => {
    if (value) state.set(name, value);
    else state.delete(name);
    const query = state.toString();
    try {
      history.replaceState(null, "", location.pathname + (query ? `?${query}` : "") + location.hash);
    } catch {
      // An address that may not be changed: the state lasts as long as the page.
    }
  };

  // Modes: findings alone, the report with its details folded, everything unfolded.

  const FINDINGS = ".title-page, .findings-page, .chapter-conclusions, .chapter-verdicts";
  const folded = all("main details:not([open])");
  const modes = copyOf("modes").firstElementChild;
  const setMode = (mode) => {
    const before = root.dataset.mode;
    root.dataset.mode = mode;
    for (const each of all("button", modes)) each.setAttribute("aria-pressed", each.value === mode);
    if (mode === "everything" || before === "everything") for (const each of folded) each.open = mode === "everything";
    for (const link of all(".contents a")) {
      const target = document.getElementById(link.hash.slice(1));
      link.parentElement.hidden = mode === "findings" && !(target && target.closest(FINDINGS));
    }
    remember("mode", mode === "report" ? "" : mode);
  };
  const reveal = (target) => {
    if (root.dataset.mode === "findings" && !target.closest(FINDINGS)) setMode("report");
    for (let each = target.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
  };
  const goThere = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    reveal(target);
    target.scrollIntoView();
  };
  const startModes = () => {
    one(".tools").prepend(modes);
    modes.addEventListener("click", (event) => event.target.value && setMode(event.target.value));
    setMode(["findings", "everything"].includes(state.get("mode")) ? state.get("mode") : "report");
    for (const link of all(".tools a")) {
      const file = link.getAttribute("href");
      const follow = () => link.setAttribute("href", file + location.search + location.hash);
      for (const event of ["pointerdown", "focus"]) link.addEventListener(event, follow);
    }
    addEventListener("hashchange", goThere);
  };

  // The contents say which section is being read.

  const startContents = () => {
    const links = new Map(all(".contents a").map((link) => [document.getElementById(link.hash.slice(1)), link]));
    links.delete(null);
    let current = null;
    const mark = () => {
      const passed = [...links.keys()].filter((head) => {
        const box = head.getBoundingClientRect();
        return box.height && box.top < innerHeight / 4;
      });
      const link = links.get(passed.at(-1)) ?? null;
      if (link === current) return;
      current?.removeAttribute("aria-current");
      link?.setAttribute("aria-current", "true");
      current = link;
      const frame = one(".contents");
      if (!link || frame.scrollHeight <= frame.clientHeight) return;
      const beyond = link.offsetTop - frame.scrollTop;
      if (beyond < 40 || beyond > frame.clientHeight - 60) frame.scrollTop = link.offsetTop - frame.clientHeight / 3;
    };
    let waiting = false;
    const soon = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        mark();
      });
    };
    for (const event of ["scroll", "resize"]) addEventListener(event, soon, { passive: true });
    mark();
  };

  // Evidence: what a link leads to, shown in place.

  const LINKS = 'a[href^="#d-"], a[href^="#claim-"], a[href^="#t-"], a[href^="#f-"]';
  const described = (row) => {
    const heads = [...row.closest("table").tHead.rows[0].cells];
    const list = make("dl", { class: "evidence-row" });
    [...row.cells].forEach((cell, place) => {
      if (!cell.textContent.trim()) return;
      const value = make("dd");
      value.innerHTML = cell.innerHTML;
      list.append(make("div", {}, make("dt", {}, heads[place].textContent.trim()), value));
    });
    return list;
  };
  const withoutIds = (element) => {
    const drawing = one("svg[id]", element);
    const html = drawing ? element.outerHTML.replaceAll(drawing.id, `${drawing.id}-again`) : element.outerHTML;
    const copy = make("div");
    copy.innerHTML = html;
    for (const each of all("[id]", copy)) if (!each.closest("svg")) each.removeAttribute("id");
    for (const each of all("details, .enlarge > :not(img)", copy)) each.remove();
    return copy;
  };
  const claimRow = (id) => {
    const link = one(`#t-verdicts a.claim[href="#claim-${CSS.escape(id)}"]`);
    return link ? link.closest("tr") : null;
  };
  const evidenceOf = (hash) => {
    const target = document.getElementById(hash.slice(1));
    if (hash.startsWith("#claim-")) {
      const row = claimRow(hash.slice(7));
      const head = one(`.claim-head a[href="${CSS.escape(hash).replace("\\#", "#")}"]`);
      const article = head && head.closest("article");
      const parts = [article && withoutIds(article), (row ?? target) && described(row ?? target)].filter(Boolean);
      return parts.length ? parts : null;
    }
    if (!target) return null;
    return [target.matches("tr") ? described(target) : withoutIds(target)];
  };
  // "Table 3" and "Figure 2" in sentences become links to what bears that label.
  const linkLabels = () => {
    const targets = new Map(
      all(".table-block, .figure-block").flatMap((block) => {
        const label = one(":scope > .scroll > table > caption > .label, :scope > figure > figcaption > .label", block);
        return label ? [[label.textContent.replace(/\.$/, "").trim(), block.id]] : [];
      }),
    );
    const kinds = [...new Set([...targets.keys()].map((label) => label.replace(/\s\d+$/, "")))];
    if (!kinds.length) return;
    const pattern = new RegExp(`((?:${kinds.join("|")})\\s\\d+)`, "u");
    for (const paragraph of all("main p, .title-page p")) {
      for (const node of [...paragraph.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE && pattern.test(each.data))) {
        const parts = node.data.split(new RegExp(pattern, "gu")).map((part) => {
          const id = targets.get(part.replace(/\s/, " "));
          return id ? make("a", { href: `#${id}` }, part) : part;
        });
        node.replaceWith(...parts);
      }
    }
  };
  const startEvidence = () => {
    linkLabels();
    if (!HTMLElement.prototype.showPopover) return;
    const panel = make("div", { id: "evidence", popover: "auto", role: "dialog", "aria-label": words.evidence });
    document.body.append(panel);
    let shownFor = null;
    const place = (link) => {
      const box = link.getBoundingClientRect();
      const height = panel.offsetHeight;
      const above = box.bottom + height + 12 > innerHeight && box.top > height + 12;
      panel.style.top = `${Math.max(8, above ? box.top - height - 6 : Math.min(box.bottom + 6, innerHeight - height - 8))}px`;
      panel.style.left = `${Math.max(8, Math.min(box.left, innerWidth - panel.offsetWidth - 8))}px`;
    };
    const show = (link) => {
      const parts = evidenceOf(decodeURIComponent(link.hash));
      if (!parts) return false;
      const there = make("a", { href: link.hash, class: "there" }, words.there);
      const close = button(words.close);
      close.addEventListener("click", () => panel.hidePopover());
      panel.replaceChildren(make("p", { class: "evidence-tools" }, there, " ", close), ...parts);
      panel.showPopover({ source: link });
      panel.scrollTop = 0;
      shownFor = link;
      place(link);
      return true;
    };
    panel.addEventListener("toggle", (event) => {
      if (event.newState === "closed") shownFor = null;
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      if (link.matches(".there") || (link.matches(LINKS) && link === shownFor)) {
        panel.hidePopover();
        if (link.hash === location.hash) goThere();
      } else if (link.matches(LINKS) && show(link)) event.preventDefault();
    });
    document.addEventListener("focusin", (event) => {
      const link = event.target.closest(LINKS);
      if (link && !panel.contains(link) && link !== shownFor && link.matches(":focus-visible")) show(link);
      else if (shownFor && event.target !== shownFor && !panel.contains(event.target)) panel.hidePopover();
    });
  };

  // Statistics: the suite's tests (analysis/hypothesis_tests.py), decided as analysis/decisions.py does.

  const SAME = 1e-9;
  const RATIO_SLACK = 1.25;
  const LEAST_SEEDS_FOR_ONSET = 5;
  const LEAST_WELCH = 4;
  const DIRECTIONS = ["greater", "less", "not_better"];
  const RULED_OUT = ["margin_ruled_out", "improvement_ruled_out"];
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;
  const span = (values) => Math.max(...values) - Math.min(...values);
  const variance = (values) => {
    const center = mean(values);
    return sum(values.map((value) => (value - center) ** 2)) / (values.length - 1);
  };
  const evenly = (value) => {
    const rounded = Math.round(value);
    return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
  };

  const LANCZOS = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const logGamma = (x) => {
    if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
    const base = x + 6.5;
    const series = LANCZOS.reduce((total, value, place) => total + (place ? value / (x - 1 + place) : value), 0);
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(series);
  };
  // The regularized incomplete beta function by its continued fraction (Lentz).
  const incompleteBeta = (x, a, b) => {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
    const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
    const tiny = 1e-300;
    const least = (value) => (Math.abs(value) < tiny ? tiny : value);
    let c = 1;
    let d = 1 / least(1 - ((a + b) * x) / (a + 1));
    let fraction = d;
    for (let m = 1; m < 10_000; m += 1) {
      const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / least(1 + even * d);
      c = least(1 + even / c);
      fraction *= d * c;
      d = 1 / least(1 + odd * d);
      c = least(1 + odd / c);
      fraction *= d * c;
      if (Math.abs(d * c - 1) < 1e-16) break;
    }
    return front * fraction;
  };
  const studentBelow = (t, freedom) => {
    const tail = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
    return t < 0 ? tail : 1 - tail;
  };
  const solved = (rises, goal, low, high) => {
    for (let step = 0; step < 200 && low < high; step += 1) {
      const middle = (low + high) / 2;
      if (middle === low || middle === high) break;
      if (rises(middle) < goal) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  // The point that a value of t exceeds with this probability (at most one half).
  const studentAbove = (tail, freedom) => {
    let high = 1;
    while (studentBelow(-high, freedom) > tail && high < 1e12) high *= 2;
    return solved((t) => -studentBelow(-t, freedom), -tail, 0, high);
  };
  const binomialAtLeast = (hits, count) => (hits <= 0 ? 1 : hits > count ? 0 : incompleteBeta(0.5, hits, count - hits + 1));

  const tTest = (values, others) => {
    const sides = others ? [values, others] : [values];
    const parts = sides.map((side) => variance(side) / side.length);
    const total = sum(parts);
    const squares = sum(parts.map((part, place) => part ** 2 / (sides[place].length - 1)));
    const still = sides.every((side) => span(side) <= SAME);
    const fewest = Math.min(...sides.map((side) => side.length));
    const welch = squares > 0 ? total ** 2 / squares : 1;
    const freedom = fewest < LEAST_WELCH ? Math.min(welch, fewest - 1) : welch;
    const center = mean(values) - (others ? mean(others) : 0);
    const error = still ? 0 : Math.sqrt(total);
    const p = (bound, side) => {
      const distance = side * (center - bound);
      if (!error) return distance > SAME ? 0 : 1;
      return studentBelow(-distance / error, freedom);
    };
    const edge = (side, level) => (error ? center + side * studentAbove(level, freedom) * error : center);
    return { center, leastP: 0, p, edge };
  };

  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  const shareOfDivisions = (values, others) => {
    const least = Math.min(...values, ...others);
    const shifted = [...values, ...others].map((value) => value - least);
    const step = Math.max(1, shifted.reduce(divisor));
    const pooled = shifted.map((value) => value / step);
    const width = sum(pooled) + 1;
    const sums = values.map(() => new Float64Array(width));
    sums.push(new Float64Array(width));
    sums[0][0] = 1;
    for (const value of pooled) {
      for (let chosen = values.length; chosen > 0; chosen -= 1) {
        for (let total = width - 1; total >= value; total -= 1) sums[chosen][total] += sums[chosen - 1][total - value];
      }
    }
    const counts = sums[values.length];
    return sum([...counts.slice(sum(pooled.slice(0, values.length)))]) / sum([...counts]);
  };
  const shareOfSigns = (values) => {
    const sizes = values.map(Math.abs);
    const positive = sum(values.filter((value) => value > 0));
    const sums = new Float64Array(sum(sizes) + 1);
    sums[0] = 1;
    for (const size of sizes) {
      for (let total = sums.length - 1; total >= 0; total -= 1) {
        if (!size) sums[total] *= 2;
        else if (total >= size) sums[total] += sums[total - size];
      }
    }
    return sum([...sums.slice(positive)]) / sum([...sums]);
  };
  const combinations = (n, k) => (k ? (combinations(n - 1, k - 1) * n) / k : 1);
  const epochTest = (values, others) => {
    const center = mean(values) - (others ? mean(others) : 0);
    const leastP = others ? 1 / combinations(values.length + others.length, values.length) : 2 ** -values.length;
    const p = (bound, side) => {
      const moved = values.map((value) => evenly(2 * side * (value - bound)));
      return others ? shareOfDivisions(moved, others.map((value) => evenly(2 * side * value))) : shareOfSigns(moved);
    };
    const edge = (side, level) => {
      if (leastP > level) return side * Infinity;
      let bound = Math.floor(2 * center) / 2;
      const reach = Math.abs(bound) + span(values) + span(others ?? [0]) + 1;
      while (p(bound + side * 0.5, -side) >= level) {
        bound += side * 0.5;
        if (Math.abs(bound) > reach + Math.abs(center)) return side * Infinity;
      }
      return bound;
    };
    return { center, leastP, p, edge };
  };

  // One claim's values with some seeds left out: differences of pairs, or two sides, on the scale of its test.
  const sampleOf = (claim, left) => {
    const rows = claim.n_of === "seeds" ? claim.rows.filter(([seed]) => !left.has(seed)) : claim.rows;
    const ratio = claim.relation === "ratio" || claim.time;
    const relative = claim.quantity === "loss";
    if (claim.absolute) return [rows.map((row) => row[1])];
    if (claim.paired) {
      return [rows.map(([, a, b]) => (ratio ? Math.log(a / b) : (a - b) / (relative ? b : 1)))];
    }
    const sides = [1, 2].map((place) => rows.map((row) => row[place]).filter((value) => value !== null));
    const unit = relative ? mean(sides[1]) : 1;
    return sides.map((side) => side.map((value) => value / unit));
  };
  const marginOf = (claim, factor) => {
    const margin = (claim.margin ?? 0) * factor;
    return claim.time ? Math.log1p(margin) : margin;
  };
  const limitsOf = (claim, factor) => {
    if (claim.relation === "ratio") {
      const slack = 1 + (RATIO_SLACK - 1) * factor;
      const stated = claim.value || 1;
      const [low, high] = [Math.log(stated / slack), Math.log(stated * slack)];
      return [stated > 1 ? Math.max(low, 0) : low, stated < 1 ? Math.min(high, 0) : high];
    }
    if (claim.relation === "value") {
      const center = claim.value ?? 0;
      const half = (claim.margin ?? 0) * factor * (claim.quantity === "loss" || claim.time ? Math.abs(center) : 1);
      return [center - half, center + half];
    }
    const margin = marginOf(claim, factor);
    return [-margin, margin];
  };
  const pValues = (claim, test, factor) => {
    if (DIRECTIONS.includes(claim.relation)) {
      return [test.p(0, claim.side), Math.min(1, 2 * test.p(0, -claim.side))];
    }
    const [low, high] = limitsOf(claim, factor);
    return [Math.max(test.p(low, 1), test.p(high, -1)), null];
  };
  // Holm's p-value of the first among others of a family, the rest of which counts as 1.
  const holm = (p, others, size) => {
    const order = [p, ...others].sort((a, b) => a - b);
    let corrected = 0;
    for (let place = 0; place <= order.indexOf(p); place += 1) corrected = Math.max(corrected, order[place] * (size - place));
    return Math.min(1, corrected);
  };

  const decideDirection = (claim, test, [tested, opposite], margin, level) => {
    const side = claim.side;
    if (tested < level && side * test.center >= margin - SAME) return ["reproduced", "beyond_margin"];
    if ((opposite ?? 0) < level && -side * test.center >= margin - SAME) return ["not_reproduced", "opposite"];
    if (test.p(side * margin, -side) < level) return ["not_reproduced", "margin_ruled_out"];
    return ["inconclusive", "undecided"];
  };
  const decideNotBetter = (claim, test, [tested], margin, level) => {
    const better = claim.side;
    if (test.p(better * margin, -better) < level) return ["reproduced", "improvement_ruled_out"];
    if (tested < level && better * test.center >= margin - SAME) return ["not_reproduced", "improvement_found"];
    return ["inconclusive", "undecided"];
  };
  const decideWithin = (test, [low, high], p, level) => {
    if (p < level) return ["reproduced", "equivalent"];
    if (Math.min(test.p(high, 1), test.p(low, -1)) < level / 2) return ["not_reproduced", "outside_margin"];
    return ["inconclusive", "undecided"];
  };
  const decideOnset = (hits, count, level) => {
    if (count < LEAST_SEEDS_FOR_ONSET) return ["inconclusive", "too_few_seeds"];
    if (binomialAtLeast(hits, count) < level) return ["reproduced", "onset_shown"];
    if (binomialAtLeast(count - hits, count) < level) return ["not_reproduced", "onset_ruled_out"];
    return ["inconclusive", "undecided"];
  };

  const judgeOnset = (claim, settings) => {
    const rows = claim.rows.filter(([seed]) => !settings.left.has(seed));
    if (!rows.length) return { outcome: "not_run", reason: "missing" };
    if (rows.length < 2) return { outcome: "inconclusive", reason: "one_seed" };
    const slack = settings.factor + SAME;
    const hits = rows.filter(([, epoch, , never]) => epoch !== null && !never && Math.abs(epoch - claim.value) <= slack).length;
    const [outcome, reason] = decideOnset(hits, rows.length, settings.level);
    const tail = settings.level / 2;
    const bound = (goal, a, b) => solved((share) => incompleteBeta(share, a, b), goal, 0, 1);
    const low = hits ? bound(tail, hits, rows.length - hits + 1) : 0;
    const high = hits < rows.length ? bound(1 - tail, hits + 1, rows.length - hits) : 1;
    return { outcome, reason, p: binomialAtLeast(hits, rows.length), estimate: hits / rows.length, low, high };
  };
  // All claims under some settings: { factor, level, corrected, left }.
  const judgeAll = (claims, settings) => {
    const found = new Map();
    const tests = new Map();
    const families = new Map();
    const p = new Map();
    for (const claim of claims) {
      if (claim.family) families.set(claim.family, [...(families.get(claim.family) ?? []), claim.id]);
      if (claim.images.length && claim.family) {
        const [wins, losses] = claim.side > 0 ? claim.images[0] : [...claim.images[0]].reverse();
        p.set(claim.id, [binomialAtLeast(wins, wins + losses), Math.min(1, 2 * binomialAtLeast(losses, wins + losses))]);
      }
      if (claim.fixed || claim.relation === "onset") continue;
      const sides = sampleOf(claim, settings.left);
      const count = Math.min(...sides.map((side) => side.length));
      if (count < 2) {
        found.set(claim.id, count ? { outcome: "inconclusive", reason: "one_seed" } : { outcome: "not_run", reason: "missing" });
        continue;
      }
      const whole = claim.quantity.startsWith("epoch");
      tests.set(claim.id, whole ? epochTest(...sides) : tTest(...sides));
      p.set(claim.id, pValues(claim, tests.get(claim.id), settings.factor));
    }
    for (const claim of claims) {
      if (claim.relation === "onset" && !claim.fixed) found.set(claim.id, judgeOnset(claim, settings));
      const test = tests.get(claim.id);
      if (test) found.set(claim.id, judged(claim, test, p, settings.corrected ? families.get(claim.family) : null, settings));
    }
    return found;
  };
  const judged = (claim, test, known, family, { factor, level }) => {
    const alone = known.get(claim.id);
    const others = (family ?? []).filter((name) => name !== claim.id && known.has(name)).map((name) => known.get(name));
    const corrected = family ? [0, 1].map((place) => holm(alone[place], others.map((each) => each[place]), family.length)) : alone;
    const direction = DIRECTIONS.includes(claim.relation);
    let [outcome, reason] = direction ? [] : decideWithin(test, limitsOf(claim, factor), alone[0], level);
    if (direction) {
      const decidable = test.leastP < level / (family ? family.length : 1);
      const decide = claim.relation === "not_better" ? decideNotBetter : decideDirection;
      [outcome, reason] = decide(claim, test, decidable ? corrected : [1, 1], marginOf(claim, factor), level);
      if (outcome === "inconclusive" && !decidable) reason = "not_decidable";
    }
    const oneSided = RULED_OUT.includes(reason) || (!direction && reason !== "outside_margin");
    const shown = (value) => (claim.unit === "ratio" ? Math.exp(value) : value);
    const [low, high] = [-1, 1].map((side) => shown(test.edge(side, oneSided ? level : level / 2)));
    const [wideLow, wideHigh] = [-1, 1].map((side) => shown(test.edge(side, level / 2)));
    const [thickLow, thickHigh] = [-1, 1].map((side) => shown(test.edge(side, level)));
    const band = direction ? [-1, 1].map((side) => side * marginOf(claim, factor)) : limitsOf(claim, factor);
    const lines = { wide: [wideLow, wideHigh], thick: [thickLow, thickHigh], band: band.map(shown) };
    return { outcome, reason, p: alone[0], corrected: corrected[0], estimate: shown(test.center), low, high, lines };
  };

  // The lab: these tests with other settings.

  const LEVELS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
  const REGISTERED = 0.05;
  const OUTCOMES = ["reproduced", "not_reproduced", "inconclusive", "not_run", "not_testable"];
  const WIDE = 220;
  const axisOf = (unit, claims) => {
    if (unit === "ratio") return (value) => (WIDE * Math.log(Math.min(Math.max(value, 0.2), 6) / 0.2)) / Math.log(6 / 0.2);
    const ends = claims.flatMap((claim) => claim.estimate).filter((value) => value !== null);
    const most = unit === "points" ? 0.15 : Infinity;
    const low = Math.min(0, ...ends.map((end) => Math.max(end, -most)));
    const high = Math.max(0, ...ends.map((end) => Math.min(end, most)));
    const room = 0.05 * (high - low || 1);
    return (value) => (WIDE * (Math.min(Math.max(value, low - room), high + room) - low + room)) / (high - low + 2 * room);
  };
  const effectOf = (claim, verdict, axis) => {
    const drawing = draw("svg", { viewBox: `0 0 ${WIDE} 20`, class: "effect", "aria-hidden": "true" });
    if (!verdict.lines || !Number.isFinite(verdict.estimate)) return drawing;
    const at = (value) => axis(value).toFixed(1);
    const { band, wide, thick } = verdict.lines;
    const line = (ends, name) => draw("path", { d: `M ${at(ends[0])} 10 H ${at(ends[1])}`, class: name });
    const zero = at(claim.unit === "ratio" ? 1 : 0);
    drawing.append(
      draw("rect", { x: at(band[0]), y: 2, width: Math.max(0, axis(band[1]) - axis(band[0])), height: 16, class: "band" }),
      draw("path", { d: `M ${zero} 0 V 20`, class: "zero" }),
      line(wide, "wide-line"),
      line(thick, "thick-line"),
      draw("circle", { cx: at(verdict.estimate), cy: 10, r: 3.6, class: "dot" }),
    );
    const away = axis(verdict.estimate);
    if (away < 1 || away > WIDE - 1) drawing.append(draw("path", { d: away < 1 ? "M 8 5 L 1 10 L 8 15" : `M ${WIDE - 8} 5 L ${WIDE - 1} 10 L ${WIDE - 8} 15`, class: "thick-line" }));
    return drawing;
  };
  const estimateText = (claim, { estimate, low, high }) => {
    if (!Number.isFinite(estimate)) return "\u2013";
    const signed = !claim.absolute && claim.unit !== "ratio" && claim.relation !== "onset";
    const either = low < 0 || high < 0 || !Number.isFinite(low) || !Number.isFinite(high);
    const bound = (value, none) => (Number.isFinite(value) ? inUnit(value, claim.unit, either) : none);
    const ends = { low: bound(low, "\u2212\u221e"), high: bound(high, "\u221e") };
    const without = !Number.isFinite(low) && !Number.isFinite(high);
    return inUnit(estimate, claim.unit, signed) + (without ? "" : ` ${fill(words.interval, ends)}`);
  };
  const startLab = () => {
    const chapter = one(".chapter-verdicts");
    if (!data || !chapter || !data.claims.some((claim) => !claim.fixed)) return;
    if (data.planned) {
      chapter.append(make("p", {}, words.planned));
      return;
    }
    chapter.append(copyOf("lab-tools"));
    const lab = one("#lab");
    if (data.first) one("p", lab).append(` ${words.first}`);
    const form = one("form", lab);
    const [factor, level, fieldset] = [one('[name="margin"]', form), one("select", form), one("fieldset", form)];
    level.append(...LEVELS.map((value) => new Option(written(value, 3).replace(/0+$/, ""), value, value === REGISTERED, value === REGISTERED)));
    const seeds = new Set(data.claims.filter((claim) => claim.n_of === "seeds").flatMap((claim) => claim.rows.map(([seed]) => seed)));
    for (const seed of [...seeds].filter((each) => each !== null).sort((a, b) => a - b)) {
      fieldset.append(make("label", {}, make("input", { type: "checkbox", name: "seed", value: seed, checked: true }), ` ${seed}`));
    }
    const units = [...new Set(data.claims.map((claim) => claim.unit))];
    const axes = new Map(units.map((unit) => [unit, axisOf(unit, data.claims.filter((claim) => claim.unit === unit))]));
    const rows = data.claims.map((claim) => {
      const row = make("tr", { "data-lab": claim.id });
      const name = make("a", { class: "claim", href: `#claim-${claim.id}` }, claim.id);
      row.append(make("th", { scope: "row" }, name, make("span", { class: "about" }, claim.about)));
      for (const head of all("thead th", lab).slice(1)) {
        row.append(make("td", { class: head.className || false, "data-label": head.textContent }));
      }
      return row;
    });
    one("tbody", lab).append(...rows);
    const settings = () => ({
      factor: 2 ** (factor.valueAsNumber / 2),
      level: Number(level.value),
      corrected: one('[name="correction"]', form).checked,
      left: new Set(all('[name="seed"]:not(:checked)', form).map((box) => Number(box.value))),
    });
    const show = (row, claim, verdict) => {
      const [, effect, estimate, p, outcome] = row.cells;
      const known = verdict ?? { outcome: claim.outcome, reason: claim.reason };
      const changed = known.outcome !== claim.outcome;
      row.classList.toggle("changed", changed);
      for (const name of ["outcome", "reason", "p", "corrected", "estimate", "low", "high"]) {
        if (known[name] === undefined || known[name] === null) delete row.dataset[name];
        else row.dataset[name] = known[name];
      }
      const [value, low, high] = claim.estimate;
      const numbers = verdict ?? (value === null ? {} : { estimate: value, low: low ?? NaN, high: high ?? NaN });
      effect.replaceChildren(effectOf(claim, known, axes.get(claim.unit)));
      estimate.textContent = estimateText(claim, numbers);
      p.textContent = known.p === undefined ? "\u2013" : asP(known.corrected ?? known.p);
      const before = fill(words.registered, { outcome: words[claim.outcome] });
      const note = verdict ? (changed ? before : null) : words.fixed;
      outcome.replaceChildren(badge(known.outcome), ...(note ? [make("span", { class: "note" }, note)] : []));
    };
    const update = () => {
      const chosen = settings();
      const found = judgeAll(data.claims, chosen);
      rows.forEach((row, place) => show(row, data.claims[place], found.get(data.claims[place].id)));
      const usual = chosen.factor === 1 && chosen.level === REGISTERED && chosen.corrected && !chosen.left.size;
      one('[name="factor"]', form).textContent = `\u00d7\u00a0${inUnit(chosen.factor, "ratio")}`;
      lab.classList.toggle("changed-settings", !usual);
      one(".exploratory strong", lab).hidden = usual;
      const counts = OUTCOMES.map((outcome) => [outcome, rows.filter((row) => row.dataset.outcome === outcome).length]);
      const told = counts.filter(([, count]) => count).map(([outcome, count]) => `${words[outcome]} ${written(count, 0)}`);
      one(".counts", lab).textContent = told.join(" \u00b7 ");
    };
    form.addEventListener("input", update);
    form.addEventListener("reset", () => setTimeout(update));
    form.addEventListener("submit", (event) => event.preventDefault());
    update();
  };

  // Two trials beside each other.

  const startComparison = () => {
    const chapter = one(".chapter-trials");
    if (!data || !chapter || data.trials.length < 2) return;
    chapter.append(copyOf("compare-tools"));
    const section = one("#compare");
    const choices = all("select", section);
    const trials = new Map(data.trials.map((trial) => [trial.id, trial]));
    const joined = data.claims.find(({ trials: [a, b] }) => a !== b && trials.has(a) && trials.has(b));
    choices.forEach((choice, place) => {
      const asked = state.get(choice.name) ?? joined?.trials[1 - place];
      choice.append(...data.trials.map((trial) => new Option(trial.name, trial.id)));
      if (trials.has(asked)) choice.value = asked;
      else choice.selectedIndex = place;
    });
    const differs = (first, second) => {
      const swapped = !(`${first.id}|${second.id}` in data.changes);
      const [from, to] = swapped ? [second, first] : [first, second];
      const changes = data.changes[`${from.id}|${to.id}`] ?? [];
      if (!changes.length) return [make("p", {}, words.same)];
      const title = fill(words.from, { first: from.name, second: to.name });
      return [make("p", {}, title), make("ul", { class: "chips" }, ...changes.map((change) => make("li", {}, change)))];
    };
    const seedTable = (first, second) => {
      const sides = [first, second].map((trial) => new Map(trial.scores));
      const seeds = [...new Set([...sides[0].keys(), ...sides[1].keys()])];
      const cells = (values) => values.map((value) => make("td", { class: "n" }, value == null ? "\u2013" : inUnit(value, "share")));
      const rows = seeds.map((seed) => {
        const names = [first, second].filter((_, place) => sides[place].has(seed)).map((trial) => trial.id);
        const light = button(seed === null ? "\u2013" : fill(words.seed, { seed }), { "data-seed": seed ?? "", "data-trial": names.join(" ") });
        return make("tr", {}, make("th", { scope: "row" }, light), ...cells(sides.map((side) => side.get(seed))));
      });
      rows.push(make("tr", {}, make("th", { scope: "row" }, "x\u0304"), ...cells([first.mean, second.mean])));
      const heads = ["", first.name, second.name].map((name, place) => make(name ? "th" : "td", place ? { scope: "col", class: "n" } : {}, name));
      return [make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)];
    };
    const update = () => {
      const [first, second] = choices.map((choice) => trials.get(choice.value));
      one(".differs", section).replaceChildren(...differs(first, second));
      one(".overlay", section).replaceChildren(overlay(first, second));
      one(".seeds", section).replaceChildren(...seedTable(first, second));
      const joining = data.claims.filter(({ trials: [a, b] }) => [first.id, second.id].includes(a) && [first.id, second.id].includes(b) && a !== b);
      const items = joining.map((claim) =>
        make("li", {}, make("a", { class: "claim", href: `#claim-${claim.id}` }, claim.id), ` ${claim.about} `, badge(claim.outcome)),
      );
      one(".joining", section).replaceChildren(...(items.length ? items : [make("li", {}, words.no_claims)]));
    };
    section.addEventListener("change", () => {
      for (const choice of choices) remember(choice.name, choice.value);
      update();
    });
    update();
  };
  const overlay = (first, second) => {
    const shown = [first, second].filter((trial) => Object.keys(trial.curves).length);
    if (!shown.length) return make("p", {}, words.no_curves);
    const curves = shown.flatMap((trial) => Object.values(trial.curves).map(([, validation]) => validation));
    const epochs = Math.max(2, ...curves.map((curve) => curve.length));
    const values = curves.flat().filter((value) => value !== null);
    const [low, high] = [Math.floor(10 * Math.min(...values)) / 10, Math.ceil(10 * Math.max(...values)) / 10];
    const x = (epoch) => 40 + (550 * (epoch - 1)) / (epochs - 1);
    const y = (value) => 215 - (200 * (value - low)) / (high - low || 1);
    const path = (curve) =>
      curve.map((value, place) => (value === null ? "" : `${place && curve[place - 1] !== null ? "L" : "M"} ${x(place + 1).toFixed(1)} ${y(value).toFixed(1)}`)).join(" ");
    const drawing = draw("svg", {
      viewBox: "0 0 600 250",
      class: "curves",
      role: "img",
      "aria-label": fill(words.curves, { first: first.name, second: second.name }),
    });
    for (let tick = Math.round(10 * low); tick <= Math.round(10 * high); tick += 1) {
      drawing.append(draw("path", { d: `M 40 ${y(tick / 10)} H 590`, class: "grid" }), draw("text", { x: 34, y: y(tick / 10) + 4, "text-anchor": "end" }, written(10 * tick, 0)));
    }
    for (const epoch of [...new Set([1, Math.round(epochs / 2), epochs])]) drawing.append(draw("text", { x: x(epoch), y: 232, "text-anchor": "middle" }, written(epoch, 0)));
    drawing.append(draw("text", { x: 590, y: 247, "text-anchor": "end" }, words.epoch), draw("text", { x: 2, y: 9 }, words.accuracy));
    for (const trial of shown) {
      const name = trial === first ? "first" : "second";
      const own = Object.entries(trial.curves).map(([seed, [, validation]]) => [seed, validation]);
      const means = Array.from({ length: Math.max(...own.map(([, curve]) => curve.length)) }, (_, epoch) => {
        const running = own.map(([, curve]) => curve[epoch]).filter((value) => value != null);
        return running.length ? mean(running) : null;
      });
      for (const [seed, curve] of own) drawing.append(draw("path", { d: path(curve), class: `${name} seed`, "data-seed": seed, "data-trial": trial.id }));
      drawing.append(draw("path", { d: path(means), class: name }));
    }
    return make("figure", {}, drawing, make("figcaption", {}, fill(words.curves, { first: first.name, second: second.name })));
  };

  // A run lights up in every figure: the marks of one seed of one trial.

  // Marks are thin: one within three pixels counts as under the pointer.
  const NEARBY = [[0, 0], [-3, 0], [3, 0], [0, -3], [0, 3]];
  const markAt = ({ target, clientX, clientY }) => {
    const own = target.closest?.("[data-seed]");
    if (own || !target.closest?.("svg")) return own;
    const near = NEARBY.flatMap(([x, y]) => document.elementsFromPoint(clientX + x, clientY + y));
    return near.map((each) => each.closest("[data-seed]")).find(Boolean);
  };
  const startSeeds = () => {
    let lit = [];
    const light = (event) => {
      const mark = event.type === "focusin" ? event.target.closest("[data-seed]") : markAt(event);
      if (mark && mark === lit.at(-1)) return;
      for (const each of lit) each.classList.remove("lit", "has-lit");
      lit = [];
      if (!mark || !mark.dataset.trial) return;
      for (const trial of mark.dataset.trial.split(" ")) {
        lit.push(...all(`[data-seed="${CSS.escape(mark.dataset.seed)}"][data-trial="${CSS.escape(trial)}"]`));
      }
      const drawings = lit.map((each) => each.closest("svg")).filter(Boolean);
      for (const each of lit) each.classList.add("lit");
      for (const each of drawings) each.classList.add("has-lit");
      mark.classList.add("lit");
      lit.push(...drawings, mark);
    };
    for (const name of ["pointermove", "focusin"]) document.addEventListener(name, light);
    for (const mark of all("svg [data-seed][data-trial]")) {
      if (!one("title", mark)) mark.prepend(draw("title", {}, fill(words.seed, { seed: mark.dataset.seed })));
    }
  };

  // The images behind the cells of the confusion matrix.

  const startConfusions = () => {
    const found = data && data.confusions;
    const chapter = one(".chapter-examples");
    if (!found || !chapter) return;
    chapter.append(copyOf("confusions-tools"));
    const section = one("#confusions");
    const text = one("p", section);
    text.textContent = fill(text.textContent, found);
    const { classes, cells, across, sprite } = found;
    const starts = cells.reduce((places, [, shown]) => [...places, places.at(-1) + shown.length], [0]);
    const show = (place, pressed) => {
      const [label, predicted] = [classes[Math.floor(place / classes.length)], classes[place % classes.length]];
      for (const each of all(".cells button", section)) each.setAttribute("aria-pressed", each === pressed);
      const images = cells[place][1].map(([image, probability], number) => {
        const at = starts[place] + number;
        const values = { image, label, predicted, share: `${inUnit(probability, "share")}%` };
        const tile = make("span", { class: "tile", role: "img", "aria-label": fill(words.picture, values) }, sprite ? "" : String(image));
        if (sprite) {
          tile.style.backgroundImage = `url(${sprite})`;
          tile.style.backgroundSize = `${64 * across}px auto`;
          tile.style.backgroundPosition = `${-64 * (at % across)}px ${-64 * Math.floor(at / across)}px`;
        }
        return make("li", {}, tile, make("span", { "aria-hidden": "true" }, values.share));
      });
      const title = make("p", {}, fill(words.surest, { label, predicted }));
      one(".surest", section).replaceChildren(title, images.length ? make("ul", {}, ...images) : make("p", {}, words.none));
    };
    const rows = classes.map((label, row) => {
      const line = classes.map((predicted, column) => {
        const place = row * classes.length + column;
        const count = cells[place][0];
        const cell = button(written(count, 0), { "aria-pressed": "false", "aria-label": fill(words.as, { count: written(count, 0), label, predicted }) });
        cell.addEventListener("click", () => show(place, cell));
        return make("td", { class: row === column ? "n right" : "n" }, cell);
      });
      return make("tr", {}, make("th", { scope: "row" }, label), ...line);
    });
    const heads = classes.map((name) => make("th", { scope: "col" }, name));
    one(".cells", section).append(make("thead", {}, make("tr", {}, make("td"), ...heads)), make("tbody", {}, ...rows));
  };

  // The table of all claims: one verdict alone, a search, copies, and an order where one has a meaning.

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { class: "copied", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const SPECIAL = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\u2212": "$-$", "\u2264": "$\\le$", "\u2265": "$\\ge$", "\u2248": "$\\approx$", "<": "$<$", ">": "$>$" };
  const asLatex = (lines) => {
    const escaped = (text) => text.replace(/[&%$#_{}]|[\\~^\u2212\u2264\u2265\u2248<>]/g, (sign) => SPECIAL[sign] ?? `\\${sign}`);
    const rows = lines.map((line) => `${line.map(escaped).join(" & ")} \\\\`);
    return [`\\begin{tabular}{${"l".repeat(lines[0].length)}}`, "\\hline", rows[0], "\\hline", ...rows.slice(1), "\\hline", "\\end{tabular}", ""].join("\n");
  };
  const asCsv = (lines) =>
    lines.map((line) => line.map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",")).join("\n") + "\n";
  const startClaims = () => {
    const tally = one(".chapter-verdicts .tally");
    const table = one("#t-verdicts table");
    if (!tally || !table) return;
    tally.after(copyOf("claims-tools"));
    const tools = one(".claims-tools");
    const [search, status] = [one("input", tools), one('[role="status"]', tools)];
    const rows = [...table.tBodies[0].rows];
    const picks = [...tally.children].map((entry) => {
      const pick = button("", { value: entry.dataset.outcome });
      pick.append(...entry.childNodes);
      return pick;
    });
    one(".picks", tools).append(...picks);
    tally.remove();
    const text = (cell) => cell.innerText.replaceAll("\u200b", "").trim();
    const apply = () => {
      const [outcome, wanted] = [state.get("verdict") ?? "", (state.get("q") ?? "").toLocaleLowerCase(language)];
      for (const pick of picks) pick.setAttribute("aria-pressed", pick.value === outcome);
      for (const row of rows) {
        const matches = row.textContent.toLocaleLowerCase(language).includes(wanted);
        row.hidden = !matches || Boolean(outcome && row.dataset.outcome !== outcome);
      }
      status.textContent = fill(words.rows, { count: written(rows.filter((row) => !row.hidden).length, 0) });
    };
    tools.addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (picks.includes(pressed)) {
        remember("verdict", state.get("verdict") === pressed.value ? "" : pressed.value);
        apply();
      } else if (pressed) {
        const shown = [...table.rows].filter((row) => !row.hidden);
        const lines = shown.map((row) => [...row.cells].map(text));
        copied(pressed.value === "csv" ? asCsv(lines) : asLatex(lines)).then(() => {
          status.textContent = fill(words.copied, { count: written(lines.length - 1, 0) });
        });
      }
    });
    search.value = state.get("q") ?? "";
    search.addEventListener("input", () => {
      remember("q", search.value);
      apply();
    });
    apply();
    sortable(table, rows);
  };
  // Columns with one unit for all claims: p, n, and seeds needed. The third press brings the order of the sections back.
  const sortable = (table, rows) => {
    const point = written(1.5, 1).charAt(1);
    const number = (row, place) => {
      const digits = row.cells[place].textContent.replace(point === "," ? /\./g : /,/g, "").replace(point, ".");
      return Number.parseFloat(digits.replace(/^[^\d.]+/, ""));
    };
    const heads = [...table.tHead.rows[0].cells];
    for (const head of heads.filter((each) => words.sorted.split("|").includes(each.textContent))) {
      const place = head.cellIndex;
      const press = button(head.textContent, { title: words.sort });
      press.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort ?? "none"];
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next !== "none") head.setAttribute("aria-sort", next);
        const way = next === "descending" ? -1 : 1;
        const order = (a, b) => {
          const [x, y] = [number(a, place), number(b, place)];
          if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
          return way * (x - y);
        };
        table.tBodies[0].append(...(next === "none" ? rows : [...rows].sort(order)));
      });
      head.replaceChildren(press);
    }
  };

  // Pictures open large.

  const startPictures = () => {
    const pictures = all("figure > img");
    if (!pictures.length) return;
    const close = button(words.close);
    const large = make("img");
    const dialog = make("dialog", { "aria-label": words.enlarged }, close, large);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    for (const image of pictures) {
      const opener = button("", { class: "enlarge", title: words.enlarge });
      image.replaceWith(opener);
      opener.append(image);
      opener.addEventListener("click", () => {
        large.src = image.src;
        large.alt = image.alt;
        dialog.showModal();
      });
    }
  };

  startModes();
  startClaims();
  startLab();
  startComparison();
  startConfusions();
  startPictures();
  startSeeds();
  startEvidence();
  startContents();
  goThere();
})();
