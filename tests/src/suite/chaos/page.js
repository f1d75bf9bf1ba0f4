// Runs in each tab of a chaos run: sends numbered messages in three streams, and keeps what became of each and when.
(() => {
  const [life] = arguments;
  const streams = ["once", "at-least-once", "until-acknowledged"];
  const chaos = (window.chaos = { life, sent: [], moments: [], problems: [], isSending: true, feed: [0, 0] });
  const note = (text) => chaos.problems.push(text);
  let ack = life * 1_000_000;

  const send = async (stream, number) => {
    const record = { stream, number, at: Date.now(), ended: null, outcome: null };
    chaos.sent.push(record);
    ack += 1;
    const text = JSON.stringify({ ack, acked: ack, life, stream, number });
    record.outcome = await api.deliver("c", text, stream).catch((error) => `failed: ${error}`);
    record.ended = Date.now();
  };

  let number = 0;
  setInterval(() => {
    if (!chaos.isSending) return;
    number += 1;
    for (const stream of streams) send(stream, number);
  }, 60);

  // What the tab sees of its connection, and the server's numbers on their way down.
  let mayMiss = true;
  setInterval(() => {
    const status = JSON.parse(api.status("c"));
    const moment = `${api.tier("c")} ${api.epoch("c")} ${status.state} ${status.dials} ${status.tabs}`;
    if (chaos.moments.at(-1)?.moment !== moment) {
      chaos.moments.push({ at: Date.now(), moment });
    }
    const events = JSON.parse(api.take_events("c"));
    for (const event of events) {
      if (event.type === "lagged" || event.type === "connected") mayMiss = true;
      // In the worker of another tier there may be a socket that is older than the one of this.
      if (event.type === "connected") chaos.feed = [0, 0];
      const feed = event.type === "message" ? event.content.feed : undefined;
      if (!feed) continue;
      const [socket, place] = chaos.feed;
      if (feed[0] < socket) note(`socket ${feed[0]} is heard after socket ${socket}`);
      if (feed[0] === socket && feed[1] <= place) note(`number ${feed[1]} of socket ${socket} after ${place}`);
      if (feed[0] === socket && feed[1] > place + 1 && !mayMiss) note(`numbers ${place + 1} to ${feed[1] - 1} of socket ${socket} are missing`);
      mayMiss = false;
      chaos.feed = feed;
    }
  }, 40);
})();
