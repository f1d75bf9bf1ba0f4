// The list of what went through, and the one of it that is looked at.

import { bytes, clock, el, say } from "./dom.js";
import { KIND } from "./trace.js";

/** So many rows are in the document at most: what is older is in the trace. */
const MAX_ROWS = 300;
const PREVIEW_CHARS = 240;
const INSPECT = 19;

const CHOICES = [
  ["server", "Server"],
  ["tabs", "Tabs"],
  ["all", "All"],
];

export class Frames {
  /** `words` puts an entry into words; `decode` may know more of a payload's content than that it is text or bytes. */
  constructor({ trace, words, decode }) {
    Object.assign(this, { trace, words, decode });
    this.choice = "server";
    this.needle = "";
    this.paused = false;
    this.missed = 0;
    this.fresh = [];
    this.selected = null;

    this.list = el("div", { class: "rows", role: "listbox", tabindex: "0", "aria-label": "Frames", onkeydown: (event) => this.onKey(event) });
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.select(row);
    });
    this.list.addEventListener("scroll", () => this.onScroll());
    this.isAtEnd = true;
    this.empty = el("p", { class: "empty" });
    this.choices = CHOICES.map(([choice, label]) =>
      el("button", { type: "button", "aria-pressed": String(choice === this.choice), onclick: () => this.choose(choice) }, label),
    );
    this.filter = el("input", {
      type: "search",
      placeholder: "Filter",
      "aria-label": "Filter frames",
      spellcheck: "false",
      oninput: () => this.seek(this.filter.value),
    });
    this.pauseButton = el("button", { type: "button", class: "plain", "aria-pressed": "false", onclick: () => this.pause(!this.paused) }, "Pause");
    this.clearButton = el("button", { type: "button", class: "plain", onclick: () => this.clear() }, "Clear");
    this.copyButton = el("button", { type: "button", class: "plain", onclick: () => this.copyAll() }, "Copy");
    this.note = el("p", { class: "note soft", role: "status" });
    this.detail = el("div", { class: "detail", role: "region", "aria-label": "Frame", hidden: true });
    this.node = el(
      "div",
      { class: "frames" },
      el(
        "div",
        { class: "tools", role: "toolbar", "aria-label": "Frames" },
        el("div", { class: "segments", role: "group", "aria-label": "Between" }, ...this.choices),
        this.filter,
        this.pauseButton,
        this.clearButton,
        this.copyButton,
      ),
      el("div", { class: "split" }, el("div", { class: "listing" }, this.list, this.empty, this.note), this.detail),
    );
    this.explain();
  }

  choose(choice) {
    this.choice = choice;
    this.choices.forEach((button, at) => button.setAttribute("aria-pressed", String(CHOICES[at][0] === choice)));
    this.rebuild();
  }

  seek(text) {
    this.needle = text.trim().toLowerCase();
    this.rebuild();
  }

  pause(paused) {
    this.paused = paused;
    this.pauseButton.setAttribute("aria-pressed", String(paused));
    say(this.pauseButton, paused ? "Go on" : "Pause");
    if (!paused) this.rebuild();
    this.explain();
  }

  clear() {
    this.trace.clear();
    this.rebuild();
    this.unselect();
  }

  /** Takes note of an entry; it is shown by the next `show`. */
  add(entry) {
    if (!this.isWanted(entry)) return;
    if (this.paused) {
      this.missed++;
      return;
    }
    this.fresh.push(entry);
    if (this.fresh.length > MAX_ROWS) this.fresh.shift();
  }

  /** Once per animation frame. */
  show() {
    if (this.paused) return this.explain();
    if (this.fresh.length === 0) return;
    this.list.append(...this.fresh.splice(0).map((entry) => this.row(entry)));
    while (this.list.children.length > MAX_ROWS) this.list.firstElementChild.remove();
    this.explain();
    if (this.isAtEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  rebuild() {
    const rows = [];
    for (const entry of this.trace.backwards()) {
      if (this.isWanted(entry)) rows.push(this.row(entry));
      if (rows.length === MAX_ROWS) break;
    }
    this.fresh = [];
    this.missed = 0;
    this.list.replaceChildren(...rows.reverse());
    this.isAtEnd = true;
    this.list.scrollTop = this.list.scrollHeight;
    this.explain();
  }

  explain() {
    const isEmpty = this.list.children.length === 0;
    this.empty.hidden = !isEmpty;
    this.list.hidden = isEmpty;
    const why = this.needle ? "Nothing matches the filter." : "Nothing has gone through yet.";
    say(this.empty, isEmpty ? why : "");
    say(this.note, this.paused ? `Paused, ${this.missed} new` : "");
  }

  isWanted(entry) {
    const { kind, code } = entry;
    if (kind >= KIND.PORT) return false;
    const isOfTabs = kind >= KIND.PORT_OPENED && kind <= KIND.BROKEN_OUT;
    // What the inspector itself asks for.
    if (isOfTabs && kind === KIND.MESSAGE_IN && code === INSPECT) return false;
    if (this.choice === "server" && isOfTabs) return false;
    if (this.choice === "tabs" && kind >= KIND.DIALLED && kind <= KIND.TRANSMITTED) return false;
    return this.needle === "" || this.textOf(entry).toLowerCase().includes(this.needle);
  }

  /** One line. */
  textOf(entry) {
    entry.text ??= this.line(entry);
    return entry.text;
  }

  line(entry) {
    if (!isPayload(entry) || entry.content.length === 0) return this.words(entry);
    const known = this.decode?.(entry);
    if (known != null) return known.slice(0, PREVIEW_CHARS);
    return isText(entry) ? utf8(entry.content.subarray(0, PREVIEW_CHARS)) : hex(entry.content.subarray(0, 32));
  }

  row(entry) {
    const [arrow, direction] = directionOf(entry);
    const row = el(
      "div",
      { class: "row", role: "option", "aria-selected": "false", "data-kind": isPayload(entry) ? "payload" : entry.kind < KIND.DIALLED ? "port" : "socket" },
      el("span", { class: "at" }, clock(entry.at)),
      el("span", { class: "arrow", "data-way": direction, "aria-label": direction }, arrow),
      el("span", { class: "text" }, this.textOf(entry)),
      el("span", { class: "size" }, isPayload(entry) ? bytes(entry.len) : ""),
    );
    row.id = `entry-${entry.number}`;
    row.entry = entry;
    if (entry === this.selected) this.mark(row);
    return row;
  }

  mark(row) {
    row.setAttribute("aria-selected", "true");
    this.list.setAttribute("aria-activedescendant", row.id);
  }

  select(row) {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.selected = row.entry;
    this.mark(row);
    row.scrollIntoView({ block: "nearest" });
    this.showDetail(row.entry);
  }

  unselect() {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.list.removeAttribute("aria-activedescendant");
    this.selected = null;
    this.detail.hidden = true;
  }

  onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < 24;
  }

  onKey(event) {
    const rows = this.list.children;
    const now = [...rows].findIndex((row) => row.entry === this.selected);
    const last = rows.length - 1;
    const from = now < 0 ? rows.length : now;
    const to = { ArrowUp: Math.max(0, from - 1), ArrowDown: Math.min(last, now < 0 ? last : now + 1), Home: 0, End: last }[event.key];
    if (event.key === "Escape" && this.selected) {
      this.unselect();
      event.stopPropagation();
    } else if (to !== undefined && rows[to]) {
      this.select(rows[to]);
      event.preventDefault();
    }
  }

  showDetail(entry) {
    const [, direction] = directionOf(entry);
    const kind = !isPayload(entry) ? "" : isText(entry) ? "text" : "binary";
    const text = this.content(entry);
    const copy = el("button", { type: "button", class: "plain", onclick: () => this.copy(text, copy) }, "Copy");
    const close = el("button", { type: "button", class: "plain", "aria-label": "Close frame", onclick: () => this.unselect() }, "×");
    const facts = [clock(entry.at), kind, isPayload(entry) ? bytes(entry.len) : "", isPayload(entry) ? `socket ${entry.id}` : ""];
    const cut = isPayload(entry) && entry.content.length > 0 && entry.content.length < entry.len;
    this.detail.replaceChildren(
      el("div", { class: "head" }, el("b", {}, direction), el("span", { class: "soft" }, facts.filter(Boolean).join(" · ")), copy, close),
      el("pre", { tabindex: "0" }, text),
      ...(cut ? [el("p", { class: "soft small" }, `The first ${bytes(entry.content.length)} of ${bytes(entry.len)}.`)] : []),
    );
    this.detail.hidden = false;
  }

  content(entry) {
    if (!isPayload(entry)) return this.words(entry);
    if (entry.content.length === 0) return entry.len === 0 ? "(empty)" : "The content is not shown.";
    const known = this.decode?.(entry);
    if (known != null) return known;
    return isText(entry) ? pretty(utf8(entry.content)) : dump(entry.content);
  }

  copyAll() {
    const lines = [...this.list.children].map(({ entry }) => `${clock(entry.at)} ${directionOf(entry)[1]} ${this.textOf(entry)}`);
    this.copy(lines.join("\n"), this.copyButton);
  }

  async copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      say(button, "Copied");
    } catch {
      // There is none on an insecure page, and a browser may refuse.
      say(button, "Refused");
    }
    setTimeout(() => say(button, "Copy"), 1_500);
  }
}

function isPayload({ kind }) {
  return kind === KIND.RECEIVED || kind === KIND.TRANSMITTED;
}

function isText({ code }) {
  return code === 0;
}

/** An arrow, and what it means. */
function directionOf({ kind }) {
  if (kind === KIND.RECEIVED) return ["↓", "received"];
  if (kind === KIND.TRANSMITTED) return ["↑", "sent"];
  if (kind >= KIND.MESSAGE_IN && kind <= KIND.BROKEN_OUT) return kind % 2 === 0 ? ["→", "from a tab"] : ["←", "to a tab"];
  return ["•", "event"];
}

function utf8(content) {
  return new TextDecoder().decode(content);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function hex(content) {
  return [...content].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Sixteen bytes a line, with what of it can be read. */
function dump(content) {
  const lines = [];
  for (let at = 0; at < content.length; at += 16) {
    const row = content.subarray(at, at + 16);
    const readable = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex(row).padEnd(47)}  ${readable}`);
  }
  return lines.join("\n");
}
