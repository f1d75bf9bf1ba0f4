import { createServer } from "node:http";
import { setupWSConnection } from "@y/websocket-server/utils";
import { WebSocketServer } from "ws";
import { serve } from "./serve.js";

const server = createServer();
new WebSocketServer({ server }).on("connection", setupWSConnection);
serve(server);
