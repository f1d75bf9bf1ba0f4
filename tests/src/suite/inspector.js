// ANCHOR: decoder
const inspector = document.querySelector("onesocket-inspector");
inspector.decoder = (content, { isText, isSent, socket }) => {
  if (!isText) return null; // It is shown as bytes.
  const { from, text } = JSON.parse(new TextDecoder().decode(content));
  return `${from} ${isSent ? "says" : "said"} on ${socket}: ${text}`;
};
// ANCHOR_END: decoder
