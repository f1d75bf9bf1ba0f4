// Tier and ladder, connections, tabs.

import { bytes, each, el, millis, say, svg } from "./dom.js";
import { REACH_MS } from "./model.js";

const TIERS = [
  ["shared", "SharedWorker"],
  ["dedicated", "Worker"],
  ["main", "Page"],
];
const FAULTS = [
  ["sockets", "Drop sockets"],
  ["end", "End"],
  ["hang", "Hang 15 s"],
  ["mute", "Mute"],
  ["trap", "Trap"],
  ["panic", "Panic"],
];
const STATES = {
  connected: "Connected",
  connecting: "Connecting",
  reconnecting: "Reconnecting",
  offline: "Offline",
  "needs-auth": "Needs a credential",
  stopped: "Stopped",
};
const SHOWN_ATTEMPTS = 4;

export class Overview {
  constructor({ switchTier, fault }) {
    this.tiers = TIERS.map(([tier, label]) =>
      el("button", { type: "button", "data-tier": tier, "aria-pressed": "false", onclick: () => switchTier(tier) }, label),
    );
    this.trip = el("span");
    this.tripChart = el("span", { class: "chart" });
    this.ladder = el("ol", { class: "ladder" });
    this.role = el("p", { class: "soft" });
    this.problem = el("p", { class: "problem", role: "alert", hidden: true });
    this.tabs = el("ul", { class: "ports" });
    this.tabCount = el("span", { class: "count" });
    this.links = el("ul", { class: "links" });
    this.linkCount = el("span", { class: "count" });
    this.noLinks = el("p", { class: "soft" }, "Nothing is connected.");
    const faults = FAULTS.map(([name, label]) => el("button", { type: "button", class: "plain", onclick: () => fault(name) }, label));
    this.faults = el(
      "section",
      { hidden: true, "aria-label": "Faults" },
      el("h3", {}, "Make the worker fail"),
      el("div", { class: "faults" }, ...faults),
    );
    this.node = el(
      "div",
      { class: "overview", tabindex: "0", role: "region", "aria-label": "Overview" },
      el(
        "section",
        { "aria-label": "Tier" },
        el("h3", {}, "Runs in", el("span", { class: "trip" }, this.tripChart, this.trip)),
        el("div", { class: "segments", role: "group", "aria-label": "Run it in" }, ...this.tiers),
        this.problem,
        this.ladder,
        this.role,
      ),
      el("section", { "aria-label": "Connections" }, el("h3", {}, "Connections", this.linkCount), this.links, this.noLinks),
      el("section", { "aria-label": "Tabs" }, el("h3", {}, "Tabs", this.tabCount), this.tabs),
      this.faults,
    );
  }

  complain(text) {
    this.problem.hidden = !text;
    say(this.problem, text ?? "");
  }

  showManager({ tier, role, ladder, hasFaults }) {
    for (const button of this.tiers) button.setAttribute("aria-pressed", String(button.dataset.tier === tier));
    const attempts = ladder.map((attempt, at) => ({ ...attempt, at })).slice(-SHOWN_ATTEMPTS);
    each(this.ladder, attempts, ({ at }) => at, showAttempt);
    this.role.hidden = !role;
    say(this.role, role ? `This tab: ${role}` : "");
    this.faults.hidden = !hasFaults;
  }

  show(model, now) {
    const trip = model.trips.at(-1);
    say(this.trip, trip === undefined ? "" : `${millis(trip)} away`);
    this.tripChart.replaceChildren(sparkline(model.trips, "Round trips to the worker"));

    const links = [...model.links.values()];
    say(this.linkCount, String(links.length));
    this.noLinks.hidden = links.length > 0;
    each(this.links, links, ({ id }) => id, (link, node = linkNode()) => showLink(node, link, model.countsOf(link), now));

    const ports = [...model.ports.values()].sort((a, b) => b.isOwn - a.isOwn || a.id - b.id);
    say(this.tabCount, String(ports.length));
    each(this.tabs, ports, ({ id }) => id, (port, node = portNode()) => showPort(node, port, model.stateOf(port, now), now));
  }
}

function showAttempt({ tier, outcome, text, millis }, node = el("li", {}, el("b"), el("span"))) {
  const took = outcome === "left" ? "" : `, ${Math.round(millis)} ms`;
  node.dataset.outcome = outcome;
  say(node.children[0], tier);
  say(node.children[1], text + took);
  return node;
}

function dot() {
  return el("span", { class: "dot", "aria-hidden": "true" });
}

function portNode() {
  return el("li", {}, dot(), el("b"), el("span", { class: "state" }), el("span", { class: "soft" }));
}

function showPort(node, port, state, now) {
  const [, name, word, rest] = node.children;
  node.dataset.state = state.replace(" ", "-");
  say(name, `Tab ${port.id}`);
  say(word, state === "frozen" ? `silent for ${millis(now - port.behindSince)}` : state);
  // For this tab it is the survey itself.
  const waiting = port.waiting > 0 && !port.isOwn ? ` · ${bytes(port.waiting)} wait` : "";
  say(rest, `${port.channels} ${port.channels === 1 ? "channel" : "channels"}${waiting}`);
  return node;
}

function linkNode() {
  const fact = (label) => el("div", {}, el("dt", {}, label), el("dd"));
  return el(
    "li",
    {},
    el("p", { class: "head" }, dot(), el("b"), el("span", { class: "soft" })),
    el("p", { class: "url" }),
    el("div", { class: "line" }),
    el("dl", {}, fact("Received"), fact("Sent"), fact("Waiting"), fact("Round trip")),
    el("p", { class: "soft small" }),
  );
}

function showLink(node, link, counts, now) {
  const [head, url, line, facts, foot] = node.children;
  node.dataset.state = link.state;
  say(head.children[1], STATES[link.state] ?? link.state);
  say(head.children[2], link.detail);
  say(url, link.url);
  line.replaceChildren(timeline(link.states, now));
  const waiting = link.queuedMessages === 0 ? "0" : `${link.queuedMessages} · ${bytes(link.queuedBytes)}`;
  const trip = link.roundTrip === undefined ? "–" : millis(link.roundTrip);
  const values = [`${counts.received} · ${bytes(counts.receivedBytes)}`, `${counts.sent} · ${bytes(counts.sentBytes)}`, waiting, trip];
  values.forEach((value, at) => say(facts.children[at].children[1], value));
  const chart = facts.children[3];
  chart.querySelector("svg")?.remove();
  if (link.trips.length > 1) chart.append(sparkline(link.trips, "Round trips to the server"));
  const rest = [
    `${link.tabs} ${link.tabs === 1 ? "tab" : "tabs"}`,
    link.socket ? `socket ${link.socket}` : "no socket",
    `${link.dials} ${link.dials === 1 ? "dial" : "dials"}`,
    link.attempt > 0 && `attempt ${link.attempt}`,
    link.oldest > 0 && `the oldest waits for ${millis(link.oldest)}`,
  ];
  say(foot, rest.filter(Boolean).join(" · "));
  return node;
}

/** The states of the last two minutes, as a strip. */
function timeline(states, now) {
  const x = (at) => Math.max(0, (1 - (now - at) / REACH_MS) * 100);
  const bars = states.map(({ at, state }, index) => {
    const end = states[index + 1]?.at ?? now;
    const width = Math.max(0.5, x(end) - x(at));
    return svg("rect", { x: Math.min(x(at), 99.5).toFixed(2), y: 0, width: width.toFixed(2), height: 6, "data-state": state });
  });
  const words = states.slice(-5).map(({ state }) => STATES[state] ?? state);
  const label = `The last two minutes: ${words.join(", ")}`;
  return svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", role: "img", "aria-label": label }, ...bars);
}

function sparkline(values, label) {
  const [width, height] = [64, 16];
  const top = Math.max(...values, 1);
  const step = width / Math.max(1, values.length - 1);
  // With room above: a steady line is no ceiling.
  const y = (value) => height - 1.5 - (value / (top * 1.3)) * (height - 3);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${y(value).toFixed(1)}`);
  const text = values.length === 0 ? label : `${label}: ${millis(values.at(-1))} now, ${millis(top)} at most`;
  const line = values.length > 1 ? svg("polyline", { points: points.join(" ") }) : null;
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text }, line);
}
