import { Server } from "@hocuspocus/server";
import { serve } from "./serve.js";

const { httpServer } = new Server({
  quiet: true,
  async onAuthenticate({ token }) {
    if (token !== "let me in") throw new Error("another token");
  },
});
serve(httpServer);
