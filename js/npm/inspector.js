// The inspector. By itself, so that nobody loads it who does not want it. The types are in inspector.d.ts.
import { FEED } from "./client.js";
import { show } from "./inspector/element.js";

export async function inspect(client) {
  return show(await client[FEED]());
}
