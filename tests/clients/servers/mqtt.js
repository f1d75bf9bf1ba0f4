import { createServer } from "node:http";
import { Aedes } from "aedes";
import { WebSocketServer, createWebSocketStream } from "ws";
import { serve } from "./serve.js";

const broker = await Aedes.createBroker();
keepReleasesApart(broker.persistence);
const server = createServer();
new WebSocketServer({ server }).on("connection", (socket, request) => broker.handle(createWebSocketStream(socket), request));
serve(server);

// What waits for a client is told apart by where it was published, which a PUBREL has not: Aedes 1.2.0 takes the next one for the one before. When two
// PUBRECs come at once, or the PUBCOMP of one is late, it releases one message twice, and the other never.
function keepReleasesApart(persistence) {
  const update = persistence.outgoingUpdate.bind(persistence);
  persistence.outgoingUpdate = (client, packet) => {
    if (packet.cmd === "pubrel") Object.assign(packet, { brokerId: `pubrel ${packet.messageId}`, brokerCounter: 1 });
    return update(client, packet);
  };
}
