// <onesocket-inspector>: what a worker does, as a panel over the page or as a page of its own.
//
// It is fed by the class `Feed` of the wasm, and looks only while it is in the document.

import { el, say } from "./dom.js";
import { Frames } from "./frames.js";
import { Model } from "./model.js";
import { Overview } from "./overview.js";
import { sheet } from "./style.js";
import { KIND, Trace } from "./trace.js";

const NAME = "onesocket-inspector";
const SURVEY_MS = 1_000;
/** A connection has changed: not at once, because changes come together. */
const SOON_MS = 40;
const PING_EVERY = 2;

/**
 * Attributes: `whole` fills the page. Properties: `feed` is what it shows; `decoder` is a function of the content, a `Uint8Array`, and of
 * `{ isText, isSent, socket }`, that returns what to show of a payload, as a string, or nothing.
 */
// A server, where an app may import this too, has no elements.
export class Inspector extends (globalThis.HTMLElement ?? class {}) {
  #feed = null;
  #isLooking = false;
  #trace = new Trace();
  #model = new Model();
  #opening = null;
  #surveys = 0;
  #timer = null;
  #soon = null;
  #frame = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet()];
    this.decoder = null;
    this.overview = new Overview({ switchTier: (tier) => this.switchTier(tier), fault: (name) => this.#feed?.fault(name) });
    this.frames = new Frames({
      trace: this.#trace,
      words: ({ kind, id, code, len, content }) => this.#feed?.words(kind, id, code, len, content) ?? "",
      decode: (entry) => this.#decode(entry),
    });
    root.append(this.#build());
  }

  #build() {
    this.pill = el("p", { class: "pill", role: "status" });
    this.contentBox = el("input", { type: "checkbox", checked: true, onchange: () => this.#setSight() });
    this.recordButton = el("button", { type: "button", class: "plain record", "aria-pressed": "false", onclick: () => this.record() }, "Record");
    const exporting = el("button", { type: "button", class: "plain export", onclick: () => this.save() }, "Export");
    this.closeButton = el("button", { type: "button", class: "plain close", "aria-label": "Close inspector", onclick: () => this.remove() }, "×");
    this.notice = el("p", { class: "notice", role: "status", hidden: true });
    this.views = ["Overview", "Frames"].map((label) =>
      el("button", { type: "button", "aria-pressed": "false", onclick: () => this.#view(label.toLowerCase()) }, label),
    );
    this.panel = el(
      "section",
      { class: "panel", tabindex: "-1", "aria-label": "onesocket inspector" },
      el(
        "header",
        {},
        el("h2", {}, "onesocket"),
        this.pill,
        el("span", { class: "views segments", role: "group", "aria-label": "View" }, ...this.views),
        el("span", { class: "gap" }),
        el("label", {}, this.contentBox, " Content"),
        this.recordButton,
        exporting,
        this.closeButton,
      ),
      this.notice,
      el("div", { class: "body" }, this.overview.node, this.frames.node),
    );
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.hasAttribute("whole")) this.remove();
    });
    this.#view("overview");
    return this.panel;
  }

  /** Where there is room for one thing only. */
  #view(name) {
    this.panel.dataset.view = name;
    for (const button of this.views) button.setAttribute("aria-pressed", String(button.textContent.toLowerCase() === name));
  }

  get feed() {
    return this.#feed;
  }

  set feed(feed) {
    this.#stop();
    this.#feed = feed;
    if (this.isConnected) this.#look();
  }

  connectedCallback() {
    this.#look();
  }

  disconnectedCallback() {
    this.#stop();
  }

  #look() {
    if (this.#feed === null || this.#isLooking) return;
    this.#isLooking = true;
    this.#feed.look(this.#sight(), {
      changed: guarded(() => this.#draw()),
      entry: guarded((kind, id, code, len, content) => this.#onEntry({ at: Date.now(), kind, id, code, len, content })),
      opening: guarded((frames) => (this.#opening = frames)),
      port: guarded((port) => this.#model.onPort(plain(port, PORT), Date.now())),
      link: guarded((link) => this.#model.onLink(plain(link, LINK), Date.now())),
    });
    this.#timer = setInterval(() => this.#survey(), SURVEY_MS);
    this.#survey();
  }

  #stop() {
    if (!this.#isLooking) return;
    this.#isLooking = false;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    cancelAnimationFrame(this.#frame);
    this.#soon = this.#frame = null;
    this.#feed.close();
  }

  #survey() {
    if (document.hidden && this.#surveys > 0) return;
    this.#feed.survey();
    if (this.#surveys++ % PING_EVERY === 0) {
      this.#feed.ping().then(
        (trip) => this.#model.onTrip(trip),
        () => {}, // No tier runs, which is shown.
      );
    }
    this.#draw();
  }

  #onEntry(entry) {
    const isSurvey = entry.kind === KIND.PORT || entry.kind === KIND.LINK;
    if (entry.kind === KIND.BEGINNING) this.#begin(entry);
    if (!isSurvey || this.#trace.isRecording) this.#trace.add(entry);
    if (isSurvey) return this.#draw();
    this.frames.add(entry);
    if (this.#model.onEntry(entry)) {
      this.#soon ??= setTimeout(() => {
        this.#soon = null;
        this.#feed.survey();
      }, SOON_MS);
    }
    this.#draw();
  }

  /** A worker begins to record: from its first input on, or in the middle. */
  #begin({ content }) {
    const isWhole = content.length > 0 && this.#opening !== null;
    this.#trace.begin(isWhole ? this.#opening : null);
    this.#opening = null;
    this.frames.rebuild();
    this.#note(
      isWhole
        ? "Recording from the worker's first moment on: this can be replayed."
        : "Recording. To replay it, record a worker from its first moment on: change the tier now, or reload the only tab with the recording on.",
    );
  }

  #draw() {
    if (!this.#isLooking) return;
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      const now = Date.now();
      const state = this.#feed.state();
      this.#model.settle(now);
      this.panel.dataset.state = state.tier ? "running" : "none";
      say(this.pill, state.state);
      this.overview.showManager(state);
      this.overview.show(this.#model, now);
      this.frames.show();
    });
  }

  #note(text) {
    this.notice.hidden = !text;
    say(this.notice, text ?? "");
  }

  #sight() {
    if (this.#trace.isRecording) return "recording";
    return this.contentBox.checked ? "payloads" : "messages";
  }

  #setSight() {
    this.#feed?.setSight(this.#sight());
  }

  #decode({ content, code, kind, id }) {
    try {
      const known = this.decoder?.(content, { isText: code === 0, isSent: kind === KIND.TRANSMITTED, socket: id });
      return known == null ? null : String(known);
    } catch {
      // Not in its format, or cut, or made into nothing that has a text: it is shown as it is.
      return null;
    }
  }

  async switchTier(tier) {
    this.overview.complain(null);
    try {
      await this.#feed.switchTier(tier);
    } catch (error) {
      this.overview.complain(error.message);
    }
    this.#draw();
  }

  /** Begins to record, or ends it. */
  record(isOn = !this.#trace.isRecording) {
    if (isOn) this.frames.clear();
    this.#trace.isRecording = isOn;
    this.recordButton.setAttribute("aria-pressed", String(isOn));
    say(this.recordButton, isOn ? "Stop" : "Record");
    this.contentBox.disabled = isOn;
    this.#note(isOn ? "Recording." : null);
    this.#setSight();
  }

  /** The trace as the text of a file. */
  export() {
    const { tier, epoch } = this.#feed.state();
    const recordedAt = new Date().toISOString();
    const level = this.#trace.hasRecorded ? "recording" : this.#sight();
    const head = { level, tier, epoch, recordedAt, userAgent: navigator.userAgent };
    return this.#trace.export(head, ({ kind, id, code, len, content }) => this.#feed.words(kind, id, code, len, content));
  }

  save() {
    const url = URL.createObjectURL(new Blob([this.export()], { type: "application/jsonl" }));
    const name = `onesocket-trace-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.jsonl`;
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}

const PORT = ["id", "isOwn", "isBehind", "waiting", "channels", "pace"];
const LINK = ["id", "socket", "oldest", "state", "detail", "attempt", "tabs", "queuedMessages", "queuedBytes", "dials", "roundTrip", "url"];

/** Reports what is thrown: it would unwind the wasm that has called, which delivers nothing to the page any more then. */
function guarded(hear) {
  return (...heard) => {
    try {
      hear(...heard);
    } catch (error) {
      reportError(error);
    }
  };
}

/** Takes the fields out of an object of the wasm's, which it frees. */
function plain(object, fields) {
  const copy = Object.fromEntries(fields.map((field) => [field, object[field]]));
  object.free();
  return copy;
}

function define() {
  if (!customElements.get(NAME)) customElements.define(NAME, Inspector);
}

/** Opens the panel over the page, or brings it to front. */
export function show(feed, isRecording = false) {
  define();
  const open = document.querySelector(`${NAME}:not([whole])`);
  const inspector = open ?? document.createElement(NAME);
  if (isRecording) inspector.record(true);
  inspector.feed = feed;
  document.body.append(inspector);
  inspector.panel.focus({ preventScroll: true });
  return inspector;
}

/** Fills the page with it. */
export function fillPage(feed) {
  define();
  const inspector = document.createElement(NAME);
  inspector.setAttribute("whole", "");
  inspector.feed = feed;
  document.body.replaceChildren(inspector);
  return inspector;
}
