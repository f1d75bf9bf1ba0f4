import { createServer } from "node:http";
import WebSocketJSONStream from "@teamwork/websocket-json-stream";
import ShareDB from "sharedb";
import { WebSocketServer } from "ws";
import { serve } from "./serve.js";

const backend = new ShareDB();
backend.connect().get("notebooks", "ours").create([]);
const server = createServer();
new WebSocketServer({ server }).on("connection", (socket) => backend.listen(new WebSocketJSONStream(socket)));
serve(server);
