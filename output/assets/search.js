/* Search without a server: looks for words in the titles, first words and outlets of the posts that search.json lists,
   and, when asked to, in those of each packed month. Nothing that it reads becomes markup. */
"use strict";

const PAGE = 25; // posts shown at once
const FAR = 20000; // posts that one press of the button looks through at most
const SCRIPT = document.currentScript;
const BASE = new URL("..", SCRIPT.src); // where the site begins: this file lies in its assets/

const UNSEEN = /[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\u{e0100}-\u{e01ef}]/gu;
const ACCENTS = /[\u0300-\u036f]/g;
const LETTER = /[\p{L}\p{N}]/u;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u3005\u30fc]/u;
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

const isSpaced = (sign) => LETTER.test(sign) && !UNSPACED.test(sign);

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

const [form, count, list, more] = ["form[role=search]", "#count", "#found", "#more"].map((css) => document.querySelector(css));
const field = form.elements.q;
const posts = []; // all that was loaded, newest first
const months = Object.entries(JSON.parse(SCRIPT.dataset.months) ?? {}).sort().reverse(); // packed, not loaded yet
let newest = null; // the promise of search.json
let back = ""; // the oldest packed month that was loaded
let asked = parse("");
let found = []; // posts, in their order
let turn = 0; // counts questions: an answer that comes late is dropped

async function load(path) {
  const response = await fetch(new URL(path, BASE), { cache: "no-cache" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const loaded = (await response.json()).map((post) => {
    const [, , title, ...rest] = post;
    return { post, title: fold(title), rest: fold(rest.slice(0, 3).join("\n")) };
  });
  posts.push(...loaded);
  return loaded;
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
  more.hidden = !asked.wanted.length || !(rest || months.length);
}

async function answer() {
  const mine = ++turn;
  const question = parse(field.value);
  if (question.wanted.length && !posts.length) count.textContent = count.dataset.loading;
  try {
    newest ??= load("assets/search.json");
    await newest;
  } catch {
    newest = null;
    if (mine === turn) count.textContent = count.dataset.failed;
    return;
  }
  if (mine !== turn) return;
  asked = question;
  found = hits(posts, asked);
  list.replaceChildren();
  show();
}

/* The posts behind those that are shown, or those of older months: one by one until there is something to show. */
async function goOn() {
  const mine = turn;
  if (found.length === list.children.length) {
    more.disabled = true;
    try {
      for (let looked = 0; months.length && looked < FAR && found.length === list.children.length; ) {
        const [month, size] = months[0];
        count.textContent = `${count.dataset.loading} ${month}`;
        const loaded = await load(`search/${month}.json`);
        months.shift();
        back = month;
        looked += size;
        if (mine !== turn) return;
        found.push(...hits(loaded, asked));
      }
    } catch {
      count.textContent = count.dataset.failed;
      return;
    } finally {
      more.disabled = false;
    }
  }
  show()?.querySelector("a").focus();
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
