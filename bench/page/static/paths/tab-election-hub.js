import { Hub } from "../peers/tab-election/dist/hub.js";

class Socket {
  namespace = "socket";

  init(hub) {
    this.hub = hub;
  }

  open(url) {
    // A spoke that joins uses the socket that is there.
    this.opened ??= new Promise((resolve) => {
      this.socket = new WebSocket(url);
      this.socket.binaryType = "arraybuffer";
      this.socket.onopen = () => resolve();
      this.socket.onmessage = ({ data }) => this.hub.emit("socket", "message", data);
    });
    return this.opened;
  }

  send(data) {
    this.socket.send(data);
  }
}

new Hub((hub) => hub.register(new Socket()));
