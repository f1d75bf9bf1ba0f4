import type { Client } from "./index.js";

/** The panel. A removal from the document closes it. */
export interface Inspector extends HTMLElement {
  /** Returns what to show of a payload's content; nothing when it is not known. What it throws on is shown as if there were none. */
  decoder: ((content: Uint8Array, payload: { isText: boolean; isSent: boolean; socket: number }) => string | null | undefined) | null;
}

/** Opens the inspector over the page: what the client's worker does, its tabs, its connections and its frames. */
export function inspect(client: Client<any, any>): Promise<Inspector>;
