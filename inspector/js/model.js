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
/** Of more sockets nothing is kept that no survey has shown: they may have come and gone between two. */
const MAX_COUNTS = 1_000;

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
    const known = this.links.get(link.id) ?? { states: [], trips: [], past: nothing() };
    const { states, trips } = known;
    if (states.at(-1)?.state !== link.state) states.push({ at: now, state: link.state });
    while (states.length > MAX_STATES || states[1]?.at < now - REACH_MS) states.shift();
    if (link.roundTrip !== undefined) trips.push(link.roundTrip);
    if (trips.length > MAX_TRIPS) trips.shift();
    const counted = link.socket || known.counted;
    if (counted !== known.counted) {
      // It is closed: a connection may have thousands of those.
      add(known.past, this.counts.get(known.counted));
      this.counts.delete(known.counted);
    }
    this.links.set(link.id, { ...known, ...link, counted, seenAt: now });
  }

  onTrip(millis) {
    this.trips.push(millis);
    if (this.trips.length > MAX_TRIPS) this.trips.shift();
  }

  /** Counts payloads; says whether a connection may have changed. */
  onEntry({ kind, id, len }) {
    if (kind === KIND.RECEIVED || kind === KIND.TRANSMITTED) {
      const counts = this.counts.get(id) ?? nothing();
      const way = kind === KIND.RECEIVED ? "received" : "sent";
      counts[way]++;
      counts[`${way}Bytes`] += len;
      this.counts.set(id, counts);
    }
    return (kind >= KIND.DIALLED && kind <= KIND.CLOSED_BY_US) || kind === KIND.NETWORK;
  }

  /** What went over a connection since the inspector looks. */
  countsOf(link) {
    return add(add(nothing(), link.past), this.counts.get(link.counted));
  }

  /** Forgets what is gone. */
  settle(now) {
    for (const map of [this.ports, this.links]) {
      for (const [id, { seenAt }] of map) if (seenAt < now - GONE_MS) map.delete(id);
    }
    const counted = new Set([...this.links.values()].map((link) => link.counted));
    for (const socket of this.counts.keys()) {
      if (this.counts.size <= MAX_COUNTS) break;
      if (!counted.has(socket)) this.counts.delete(socket);
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

function nothing() {
  return { received: 0, receivedBytes: 0, sent: 0, sentBytes: 0 };
}

function add(sum, counts) {
  for (const [key, count] of Object.entries(counts ?? {})) sum[key] += count;
  return sum;
}
