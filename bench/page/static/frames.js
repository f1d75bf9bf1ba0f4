// When the page was given the chance to paint. The time is read in the callback: that of its argument is when the frame was due.
let gaps = null;
let last = 0;

function tick() {
  const now = performance.now();
  if (gaps === null) return;
  gaps.push(now - last);
  last = now;
  requestAnimationFrame(tick);
}

export const frames = {
  start() {
    gaps = [];
    requestAnimationFrame(() => {
      last = performance.now();
      requestAnimationFrame(tick);
    });
  },
  // The gap that runs counts: else a page that never painted would have none.
  stop() {
    const seen = [...gaps, performance.now() - last];
    gaps = null;
    return seen;
  },
};
