import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { initTRPC, tracked } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocketServer } from "ws";
import { serve } from "./serve.js";

const { procedure, router } = initTRPC.create();
const notes = [];
const news = new EventEmitter();
const notebook = router({
  note: procedure.input(String).mutation(({ input }) => {
    const count = notes.push(input);
    news.emit("noted");
    return count;
  }),
  count: procedure.query(() => notes.length),
  // A client that comes back says which was the last that it has got.
  noted: procedure.input(({ lastEventId = "0" }) => Number(lastEventId)).subscription(async function* ({ input, signal }) {
    for (let next = input; ; ) {
      while (next < notes.length) yield tracked(`${next + 1}`, notes[next++]);
      await once(news, "noted", { signal });
    }
  }),
});

const server = createServer();
applyWSSHandler({ wss: new WebSocketServer({ server }), router: notebook });
serve(server);
