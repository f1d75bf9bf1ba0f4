// Keeps what the page printed and what it failed to catch in `window.__log`, the newest 500 lines.
(() => {
  const log = (window.__log = []);
  const keep = (kind, parts) => {
    log.push(`${kind}: ${parts.map(show).join(" ")}`);
    if (log.length > 500) log.shift();
  };
  const show = (part) => {
    if (part instanceof Error) return `${part.name}: ${part.message}`;
    if (typeof part !== "object") return String(part);
    try {
      return JSON.stringify(part);
    } catch {
      return String(part);
    }
  };
  for (const kind of ["debug", "log", "info", "warn", "error"]) {
    const original = console[kind].bind(console);
    console[kind] = (...parts) => {
      keep(kind, parts);
      original(...parts);
    };
  }
  addEventListener("error", (event) => keep("uncaught", [event.error ?? event.message]));
  addEventListener("unhandledrejection", (event) => keep("unhandled", [event.reason]));
})();
