// What the worker's surveys say, and how it has changed.

import { KIND } from "./trace.js";

/** How far a timeline reaches back. */
export const REACH_MS = 120_000;
/** What no survey has shown for so long is gone: they come once a second. */
const GONE_MS = 2_600;
/** A tab that owes an acknowledgement for so long is frozen, or busy. */
const FROZEN_MS = 2_000;
const MAX_TRIPS = 60;
const MAX_STATES = 400;

export class Model {
  constructor() {
    this.clear();
  }

  clear() {
    this.ports = new Map();
    this.links = new Map();
    /** Payloads by socket: whose it is, only the next survey says. */
    this.counts = new Map();
    /** Round trips to the worker. */
    this.trips = [];
  }

  onPort(port, now) {
    const known = this.ports.get(port.id);
    const behindSince = port.isBehind && !port.isOwn ? (known?.behindSince ?? now) : null;
    this.ports.set(port.id, { ...port, behindSince, seenAt: now });
  }

  onLink(link, now) {
    const known = this.links.get(link.id) ?? { states: [], trips: [], sockets: new Set() };
    const { states, trips } = known;
    if (states.at(-1)?.state !== link.state) states.push({ at: now, state: link.state });
    while (states.length > MAX_STATES || states[1]?.at < now - REACH_MS) states.shift();
    if (link.roundTrip !== undefined) trips.push(link.roundTrip);
    if (trips.length > MAX_TRIPS) trips.shift();
    if (link.socket) known.sockets.add(link.socket);
    this.links.set(link.id, { ...known, ...link, seenAt: now });
  }

  onTrip(millis) {
    this.trips.push(millis);
    if (this.trips.length > MAX_TRIPS) this.trips.shift();
  }

  /** Counts payloads; says whether a connection may have changed. */
  onEntry({ kind, id, len }) {
    if (kind === KIND.RECEIVED || kind === KIND.TRANSMITTED) {
      const counts = this.counts.get(id) ?? { received: 0, receivedBytes: 0, sent: 0, sentBytes: 0 };
      const way = kind === KIND.RECEIVED ? "received" : "sent";
      counts[way]++;
      counts[`${way}Bytes`] += len;
      this.counts.set(id, counts);
    }
    return (kind >= KIND.DIALLED && kind <= KIND.CLOSED_BY_US) || kind === KIND.NETWORK;
  }

  /** What went over a connection since the inspector looks. */
  countsOf(link) {
    const total = { received: 0, receivedBytes: 0, sent: 0, sentBytes: 0 };
    for (const socket of link.sockets) {
      for (const [key, count] of Object.entries(this.counts.get(socket) ?? {})) total[key] += count;
    }
    return total;
  }

  /** Forgets what is gone. */
  settle(now) {
    for (const map of [this.ports, this.links]) {
      for (const [id, { seenAt }] of map) if (seenAt < now - GONE_MS) map.delete(id);
    }
  }

  /** What a tab is doing, in a word. */
  stateOf(port, now) {
    if (port.isOwn) return "this tab";
    if (port.behindSince !== null && now - port.behindSince > FROZEN_MS) return "frozen";
    const own = [...this.ports.values()].find((other) => other.isOwn);
    // A tab asks for a longer pace while it is hidden; this one is seen.
    return own && port.pace > own.pace ? "hidden" : "visible";
  }
}
