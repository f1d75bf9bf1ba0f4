// What was seen, as much of it as fits, and as a file. docs/inspector.md describes the file.

/** The kinds of entries that are looked at here; `protocol/src/log.rs` has all. */
export const KIND = {
  LINE: 0,
  PORT_OPENED: 2,
  MESSAGE_IN: 4,
  BROKEN_OUT: 9,
  DIALLED: 10,
  CLOSED_BY_US: 15,
  RECEIVED: 16,
  TRANSMITTED: 17,
  NETWORK: 18,
  PORT: 20,
  LINK: 21,
  BEGINNING: 22,
  MOMENT: 23,
};

const VERSION = 1;
const MAX_ENTRIES = 5_000;
const MAX_BYTES = 8 * 1024 * 1024;
// A recording that loses its beginning is none.
const MAX_RECORDED_ENTRIES = 200_000;
const MAX_RECORDED_BYTES = 64 * 1024 * 1024;

export class Trace {
  constructor() {
    this.isRecording = false;
    this.total = 0;
    this.clear();
  }

  clear() {
    this.entries = [];
    this.start = 0;
    this.bytes = 0;
    this.opening = null;
    /** How many entries of a recording are here, from its beginning on. */
    this.recorded = 0;
    this.isFull = false;
  }

  /** Begins anew with a worker that has done nothing yet; `opening` is what it was posted before it began to record. */
  begin(opening) {
    this.clear();
    this.opening = opening;
  }

  add(entry) {
    entry.number = this.total++;
    if (this.isRecording || this.recorded > 0) {
      // One that has ended is there to be exported, until it is cleared or the next one begins: nothing may push it out.
      const [entries, bytes] = this.isRecording ? [MAX_RECORDED_ENTRIES, MAX_RECORDED_BYTES] : [MAX_ENTRIES, MAX_BYTES];
      this.isFull ||= this.length >= entries || this.bytes > bytes;
      if (this.isFull) return;
    }
    if (this.isRecording) this.recorded++;
    this.entries.push(entry);
    this.bytes += entry.content.length;
    while (this.recorded === 0 && (this.length > MAX_ENTRIES || this.bytes > MAX_BYTES)) this.drop();
  }

  drop() {
    this.bytes -= this.entries[this.start].content.length;
    this.entries[this.start++] = undefined;
    this.opening = null;
    if (this.start > MAX_ENTRIES) {
      this.entries.splice(0, this.start);
      this.start = 0;
    }
  }

  get length() {
    return this.entries.length - this.start;
  }

  /** Whether there is what only a recording has, credentials among it. */
  get hasRecorded() {
    return this.recorded > 0 || this.opening !== null || this.entries.some((entry) => entry?.kind >= KIND.MOMENT);
  }

  /** The entries, the oldest first. */
  *forwards() {
    for (let at = this.start; at < this.entries.length; at++) yield this.entries[at];
  }

  /** The entries, the newest first. */
  *backwards() {
    for (let at = this.entries.length - 1; at >= this.start; at--) yield this.entries[at];
  }

  /** JSON lines: a head, then an entry each. `words` puts an entry into words. */
  export(head, words) {
    const opening = this.opening?.map(base64) ?? null;
    const lines = [{ onesocket: "trace", version: VERSION, ...head, recorded: this.recorded, opening }];
    for (const entry of this.forwards()) {
      const { at, kind, id, code, len, content } = entry;
      lines.push({ at: Math.round(at), kind, id, code, len, content: base64(content), text: words(entry) });
    }
    return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  }
}

function base64(content) {
  let text = "";
  // A call takes no more arguments than some ten thousand.
  for (let at = 0; at < content.length; at += 8192) text += String.fromCharCode(...content.subarray(at, at + 8192));
  return btoa(text);
}
