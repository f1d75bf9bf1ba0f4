import mqtt from "mqtt";
import { OneSocket } from "onesocket";

export async function open(url, name) {
  const client = await mqtt.connectAsync(url, {
    createWebsocket: (url, protocols) => new OneSocket(url, protocols),
    // Its other timers are a worker made of a `blob:`, which the page's policy forbids.
    timerVariant: "native",
    // The broker keeps for a client that comes back what was published meanwhile.
    clientId: name,
    clean: false,
    reconnectPeriod: 200,
  });
  const notes = [];
  client.on("message", (_topic, payload) => notes.push(payload.toString()));
  await client.subscribeAsync("notes", { qos: 2 });
  return {
    note: (text) => client.publishAsync("notes", text, { qos: 2 }),
    notes: () => notes,
    isConnected: () => client.connected,
  };
}
