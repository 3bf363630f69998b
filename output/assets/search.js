/* Search without a server: looks for words in the titles, first words and outlets of the posts that search.json lists
   and, when asked to, in those of each packed month: presskeep's crawler/pack/search.py says how these are kept.
   Nothing that is read becomes markup. */
"use strict";

const PAGE = 25; // posts shown at once
const FAR = 20000; // posts that one press of the button looks through at most, where it finds none
const SMALL = 3000; // posts of a packed month that has one list; a longer one is in parts, with an index
const PART = 100;
const SHARDS = 256; // files of that index
const SCRIPT = document.currentScript;
const BASE = new URL("..", SCRIPT.src); // where the site begins: this file lies in its assets/

const UNSEEN = /[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\u{e0100}-\u{e01ef}]/gu;
const ACCENTS = /[\u0300-\u036f]/g;
const LETTER = /[\p{L}\p{N}]/u;
const UNSPACED = "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\u{20000}-\u{323af}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff";
const LOOSE = new RegExp(`[${UNSPACED}]`, "u"); // scripts without blanks between words
const TOKEN = new RegExp(`[${UNSPACED}]+|(?:(?![${UNSPACED}])[\\p{L}\\p{N}])+`, "gu");
const TERM = /(-?)(?:["“”„]([^"“”„]*)["“”„]?|([^\s"“”„]+))/gu;

/* A text without differences of width, case, accent and form that nobody means. */
function fold(text) {
  const bare = text.replace(UNSEEN, "").normalize("NFD").replace(ACCENTS, "");
  return bare.normalize("NFKC").toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");
}

/* What is looked for: words and "phrases" that must all be there, and those after a - that must not. */
function parse(text) {
  const asked = { wanted: [], barred: [] };
  for (const [, minus, phrase, word] of text.matchAll(TERM)) {
    const term = fold(phrase ?? word).trim().replace(/\s+/g, " ");
    if (LETTER.test(term)) asked[minus ? "barred" : "wanted"].push(term);
  }
  return asked;
}

const isSpaced = (sign) => LETTER.test(sign) && !LOOSE.test(sign);

/* Where a word stands in a folded text, or -1: anywhere in scripts without blanks, in others where a word begins. */
function at(text, word, from = 0) {
  let place = text.indexOf(word, from);
  if (isSpaced(word[0])) while (place > 0 && isSpaced(text[place - 1])) place = text.indexOf(word, place + 1);
  return place;
}

/* The posts of a list, folded, in which the words stand: those with all of them in the title first. */
function hits(posts, { wanted, barred }) {
  const found = [[], []];
  if (!wanted.length) return [];
  for (const post of posts) {
    const inTitle = (word) => at(post.title, word) >= 0;
    const inside = (word) => inTitle(word) || at(post.rest, word) >= 0;
    if (wanted.every(inside) && !barred.some(inside)) found[wanted.every(inTitle) ? 0 : 1].push(post);
  }
  return found.flat();
}

/* A text as nodes, with what was looked for in <mark>. */
function marked(text, words) {
  const signs = text.match(/.\p{M}*/gsu) ?? [];
  const folded = signs.map(fold);
  const whole = folded.join("");
  const lit = new Uint8Array(whole.length);
  for (const word of words)
    for (let place = at(whole, word); place >= 0; place = at(whole, word, place + word.length))
      lit.fill(1, place, place + word.length);
  const nodes = [];
  let place = 0, run = "", isLit = 0;
  const end = () => { if (run) nodes.push(isLit ? element("mark", {}, run) : run); run = ""; };
  signs.forEach((sign, number) => {
    if (lit[place] !== isLit && folded[number]) { end(); isLit = lit[place]; }
    run += sign;
    place += folded[number].length;
  });
  end();
  return nodes;
}

function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function item({ post: [url, date, title, lead, outlet, category, language] }, words) {
  const link = element("a", { href: new URL(`.${url}`, BASE).href }, ...marked(title, words));
  const time = element("time", { datetime: date }, `${date.slice(0, 10)} ${date.slice(11, 16)}`);
  const credit = element("p", { class: "credit" }, time);
  for (const name of [outlet, category]) if (name) credit.append(" ", element("span", {}, ...marked(name, words)));
  const piece = element("p", { class: "piece" }, ...marked(lead, words));
  return element("li", { lang: language }, element("h2", {}, link), piece, credit);
}

/* What a token of a question is found by in an index: pairs of signs, or what words begin with. */
function keys(token) {
  const signs = Array.from(token);
  if (!LOOSE.test(token) || signs.length === 1) return [[token, (words) => Object.keys(words).filter((word) => word.startsWith(token))]];
  return signs.slice(1).map((sign, before) => [signs[before] + sign, () => [signs[before] + sign]]);
}

/* Numbers as an index has them: each as its distance from the one before, to base 36. */
function spread(coded = "") {
  let number = 0;
  return coded.split(" ").filter(Boolean).map((digits) => (number += parseInt(digits, 36)));
}

const [form, count, list, more] = ["form[role=search]", "#count", "#found", "#more"].map((css) => document.querySelector(css));
const field = form.elements.q;
const months = Object.entries(JSON.parse(SCRIPT.dataset.months) ?? {}).map(([month, size]) => ({ month, size }));
months.sort((one, other) => (one.month < other.month ? 1 : -1));
const read = new Map(); // path -> promise of what was made of it
let asked = parse("");
let found = []; // posts, in their order
let ahead = []; // packed months, and parts of them, that were not looked through yet
let back = ""; // the month that was looked through last
let turn = 0; // counts questions: what a month holds may come when another one is asked
let busy = false;

function load(path, make) {
  if (!read.has(path)) {
    const loading = fetch(new URL(path, BASE), { cache: "no-cache" }).then((response) => {
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return response.json();
    });
    const made = loading.then(make);
    made.catch(() => read.delete(path)); // to be tried again
    read.set(path, made);
  }
  return read.get(path);
}

const posts = (path) => load(path, (rows) => rows.map((post) => (
  { post, title: fold(post[2]), rest: fold(post.slice(3, 6).join("\n")) }
)));

/* The parts of a large month's list in which posts may be that hold all words. */
async function parts(folder, { wanted }) {
  let left = null;
  for (const token of wanted.flatMap((word) => word.match(TOKEN) ?? []))
    for (const [key, those] of keys(token)) {
      const words = await load(`${folder}/words/${key.codePointAt(0) % SHARDS}.json`, (shard) => shard);
      const here = new Set(those(words).flatMap((word) => spread(words[word])));
      left = left?.filter((number) => here.has(number)) ?? [...here].sort((one, other) => one - other);
    }
  return [...new Set(left.map((number) => Math.floor(number / PART)))];
}

/* One step back: [posts found, what is to be looked through instead]. */
async function look({ month, size, path }, question) {
  const folder = `search/${month.replace("-", "/")}`;
  if (path || size <= SMALL) return [hits(await posts(path ?? `${folder}.json`), question), []];
  const some = await parts(folder, question);
  return [[], some.map((part) => ({ month, size: PART, path: `${folder}/posts/${part}.json` }))];
}

function show() {
  const first = list.children.length;
  list.append(...found.slice(first, first + PAGE).map((post) => item(post, asked.wanted)));
  tell();
  return list.children[first];
}

function tell() {
  const { found: all, back: since } = count.dataset;
  count.textContent = asked.wanted.length ? (back ? since : all).replace("[n]", found.length).replace("[month]", back) : "";
  const rest = found.length > list.children.length;
  more.textContent = rest ? more.dataset.more : more.dataset.older;
  more.hidden = !asked.wanted.length || !(rest || ahead.length);
}

async function answer() {
  turn++;
  const question = parse(field.value);
  if (!read.size) count.textContent = count.dataset.loading;
  try {
    const newest = await posts("assets/search.json");
    [asked, found, ahead, back] = [question, hits(newest, question), [...months], ""];
    list.replaceChildren();
    show();
  } catch {
    count.textContent = count.dataset.failed;
  }
}

/* Shows the posts behind those that are shown; where there are none, looks back for a page of them. */
async function goOn() {
  if (busy) return;
  busy = true;
  const mine = turn;
  try {
    const shown = list.children.length;
    let looked = found.length > shown ? FAR : 0; // what was found is shown first
    const isEnough = () => found.length >= shown + PAGE || looked >= (found.length > shown ? SMALL : FAR);
    while (ahead.length && !isEnough()) {
      count.textContent = `${count.dataset.loading} ${ahead[0].month}`;
      const [some, instead] = await look(ahead[0], asked);
      if (mine !== turn) return;
      const { month, size } = ahead.shift();
      ahead.unshift(...instead);
      found.push(...some);
      looked += instead.length ? 0 : Math.min(size, SMALL);
      back = month;
    }
    show()?.querySelector("a").focus();
  } catch {
    if (mine === turn) count.textContent = count.dataset.failed;
  } finally {
    busy = false;
  }
}

function restore() {
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  if (field.value) answer();
}

/* The address always says what is shown, so that it can be passed on. */
function remember(how) {
  const query = field.value.trim() ? `?${new URLSearchParams({ q: field.value })}` : location.pathname;
  if (query !== location.search) history[how](null, "", query);
}

let waiting = 0;
field.addEventListener("input", (event) => {
  clearTimeout(waiting);
  if (event.isComposing) return; // pinyin that is still to become characters
  waiting = setTimeout(() => { remember("replaceState"); answer(); }, 200);
});
field.addEventListener("compositionend", () => field.dispatchEvent(new Event("input")));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  remember("pushState");
  answer();
});
more.addEventListener("click", goOn);
addEventListener("popstate", restore);
form.hidden = false;
if (!location.search) field.focus();
restore();
