import { EventEmitter, on } from "node:events";
import { createServer } from "node:http";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { serve } from "./serve.js";

const schema = buildSchema(`
  type Note { number: Int!, text: String! }
  type Query { notes: [Note!]! }
  type Mutation { note(text: String!): Note! }
  type Subscription { noted: Note! }
`);
const notes = [];
const news = new EventEmitter();
const roots = {
  query: { notes: () => notes },
  mutation: {
    note({ text }) {
      const note = { number: notes.length, text };
      notes.push(note);
      news.emit("noted", note);
      return note;
    },
  },
  subscription: {
    async *noted() {
      for await (const [noted] of on(news, "noted")) yield { noted };
    },
  },
};

const server = createServer();
useServer({ schema, roots }, new WebSocketServer({ server }));
serve(server);
