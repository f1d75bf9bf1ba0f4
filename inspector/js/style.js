// How it looks. A constructed sheet: a strict Content Security Policy has nothing against it.

let shared = null;

export function sheet() {
  if (shared === null) {
    shared = new CSSStyleSheet();
    shared.replaceSync(CSS);
  }
  return shared;
}

const CSS = `
:host {
  color-scheme: light dark;
  --ground: #f4f5f7;
  --surface: #ffffff;
  --sunken: #eceef2;
  --line: #dde0e7;
  --ink: #171b24;
  --soft: #596173;
  --mute: #b4bbc9;
  --accent: #2d4fc7;
  --accent-soft: #e6ebfd;
  --good: #157347;
  --good-soft: #e0f3e8;
  --wait: #8a5a00;
  --wait-line: #e0a83a;
  --wait-soft: #fdf0d3;
  --bad: #b3261e;
  --bad-soft: #fce6e4;
  --shade: 0 -8px 32px rgb(23 27 36 / 12%);
  position: fixed;
  z-index: 2147483000;
  inset: auto 0 0 0;
  height: min(30rem, 62vh);
  font: 13px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  color: var(--ink);
  text-align: left;
}
:host([whole]) { inset: 0; height: auto; }
@media (prefers-color-scheme: dark) {
  :host {
    --ground: #0e1116;
    --surface: #161a21;
    --sunken: #1f242d;
    --line: #2a303b;
    --ink: #e8ebf1;
    --soft: #9aa3b5;
    --mute: #515b6d;
    --accent: #7f9bf8;
    --accent-soft: #1d2747;
    --good: #6fd39b;
    --good-soft: #12301f;
    --wait: #f0bf5a;
    --wait-line: #c08a1e;
    --wait-soft: #35280d;
    --bad: #ff9a91;
    --bad-soft: #3c1816;
    --shade: 0 -8px 32px rgb(0 0 0 / 45%);
  }
}
*, *::before, *::after { box-sizing: border-box; }
.overview, .rows, pre { scrollbar-width: thin; scrollbar-color: var(--mute) transparent; }
[hidden] { display: none !important; }
h2, h3, p, dl, dd, ol, ul, pre { margin: 0; padding: 0; }
ol, ul { list-style: none; }
button, input { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }

.panel {
  container-type: inline-size;
  display: flex;
  flex-direction: column;
  height: 100%;
  background: var(--surface);
  border-top: 1px solid var(--line);
  box-shadow: var(--shade);
  outline: none;
}
:host([whole]) .panel { border: 0; box-shadow: none; }
:host([whole]) .close { display: none; }

header {
  display: flex;
  flex: none;
  flex-wrap: wrap;
  align-items: center;
  gap: .4rem .6rem;
  padding: .5rem .9rem;
  border-bottom: 1px solid var(--line);
}
h2 { font-size: 14px; font-weight: 650; letter-spacing: -.01em; }
h3 {
  display: flex;
  align-items: center;
  gap: .4rem;
  min-height: 1.5rem;
  margin-bottom: .4rem;
  font-size: 12px;
  font-weight: 600;
  color: var(--soft);
}
.gap { flex: 1; }
.soft { color: var(--soft); }
.small { font-size: 12px; }
.pill { padding: .1rem .6rem; border-radius: 99px; font-weight: 600; font-size: 12px; color: var(--wait); background: var(--wait-soft); }
[data-state="running"] .pill { color: var(--good); background: var(--good-soft); }
label { display: flex; align-items: center; gap: .35rem; color: var(--soft); }
input[type="checkbox"] { accent-color: var(--accent); margin: 0; }

.plain {
  padding: .2rem .65rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 7px;
  cursor: pointer;
  white-space: nowrap;
}
.plain:hover { background: var(--sunken); }
.plain[aria-pressed="true"] { color: var(--accent); background: var(--accent-soft); border-color: transparent; }
.record[aria-pressed="true"] { color: var(--bad); background: var(--bad-soft); }
.close { font-size: 16px; line-height: 1; padding: .25rem .55rem; border-color: transparent; }

.segments { display: flex; padding: 2px; background: var(--sunken); border-radius: 8px; }
.segments button {
  flex: 1;
  padding: .15rem .6rem;
  background: none;
  border: 0;
  border-radius: 6px;
  color: var(--soft);
  cursor: pointer;
  white-space: nowrap;
}
.segments button:hover { color: var(--ink); }
.segments button[aria-pressed="true"] { background: var(--surface); color: var(--ink); font-weight: 600; box-shadow: 0 1px 2px rgb(23 27 36 / 14%); }

.notice { flex: none; padding: .4rem .9rem; background: var(--accent-soft); color: var(--ink); border-bottom: 1px solid var(--line); }
.problem { margin-top: .5rem; padding: .35rem .6rem; border-radius: 7px; background: var(--bad-soft); color: var(--bad); }

.body { flex: 1; min-height: 0; display: grid; grid-template-columns: 22rem minmax(0, 1fr); }
.overview { overflow-y: auto; padding: .8rem .9rem 1.2rem; border-right: 1px solid var(--line); background: var(--ground); }
.overview section + section { margin-top: 1.1rem; }
.count { padding: 0 .45rem; border-radius: 99px; background: var(--sunken); font-variant-numeric: tabular-nums; }
.trip { display: flex; align-items: center; gap: .45rem; margin-left: auto; font-weight: 400; font-variant-numeric: tabular-nums; }
.chart, .line { display: block; }
.spark { display: block; width: 64px; height: 16px; }
.spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.4; stroke-linejoin: round; }

.ladder { margin-top: .55rem; }
.ladder li { display: flex; gap: .4rem; padding: .1rem 0; color: var(--soft); }
.ladder li::before { content: "○"; width: 1em; flex: none; }
.ladder li[data-outcome="running"]::before { content: "✓"; color: var(--good); }
.ladder li[data-outcome="failed"]::before { content: "×"; color: var(--bad); }
.ladder b { color: var(--ink); font-weight: 600; }

.dot { flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--mute); }
.links > li { padding: .65rem .75rem; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; }
.links > li + li { margin-top: .5rem; }
.links .head { display: flex; align-items: center; gap: .45rem; }
.links .head .soft { margin-left: auto; font-size: 12px; text-align: right; }
.links .url { margin-top: .1rem; font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; color: var(--soft); overflow-wrap: anywhere; }
.links .line svg { display: block; width: 100%; height: 6px; margin: .5rem 0; border-radius: 3px; background: var(--sunken); }
.links dl { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem .8rem; margin-bottom: .35rem; }
.links dl div { position: relative; }
.links dt { font-size: 11px; color: var(--soft); }
.links dd { font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.links dl .spark { position: absolute; right: 0; bottom: 3px; }
[data-state="connected"] > .head .dot, [data-state="visible"] > .dot, [data-state="this-tab"] > .dot { background: var(--good); }
[data-state="connecting"] > .head .dot, [data-state="reconnecting"] > .head .dot, [data-state="frozen"] > .dot { background: var(--wait-line); }
[data-state="stopped"] > .head .dot, [data-state="needs-auth"] > .head .dot { background: var(--bad); }
rect { fill: var(--mute); }
rect[data-state="connected"] { fill: var(--good); }
rect[data-state="connecting"], rect[data-state="reconnecting"] { fill: var(--wait-line); }
rect[data-state="stopped"], rect[data-state="needs-auth"] { fill: var(--bad); }

.ports li { display: flex; align-items: center; gap: .5rem; padding: .28rem 0; }
.ports li + li { border-top: 1px solid var(--line); }
.ports b { font-weight: 600; font-variant-numeric: tabular-nums; }
.ports .state { color: var(--soft); }
.ports .soft { margin-left: auto; font-size: 12px; font-variant-numeric: tabular-nums; }
.ports [data-state="this-tab"] .state { color: var(--accent); }
.ports [data-state="frozen"] .state { color: var(--wait); }
.faults { display: flex; flex-wrap: wrap; gap: .4rem; }

.frames { display: flex; flex-direction: column; min-width: 0; min-height: 0; }
.tools { display: flex; flex: none; flex-wrap: wrap; align-items: center; gap: .4rem; padding: .45rem .9rem; border-bottom: 1px solid var(--line); }
.tools input {
  flex: 1 1 7rem;
  min-width: 6rem;
  padding: .2rem .6rem;
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: 7px;
}
.tools input::placeholder { color: var(--soft); opacity: 1; }
.split { flex: 1; min-height: 0; display: flex; }
.listing { flex: 1 1 0; min-width: 0; position: relative; display: flex; flex-direction: column; }
.rows { flex: 1; min-height: 0; overflow-y: auto; padding: .25rem 0; outline-offset: -2px; }
.row {
  display: grid;
  grid-template-columns: auto 1.1em minmax(0, 1fr) auto;
  gap: .6rem;
  padding: .12rem .9rem;
  font: 12px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  cursor: default;
}
.row:hover { background: var(--ground); }
.row[aria-selected="true"] { background: var(--accent-soft); }
.row .at, .row .size { color: var(--soft); font-variant-numeric: tabular-nums; }
.row .size { text-align: right; }
.row .text { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.row:not([data-kind="payload"]) .text { color: var(--soft); }
.row .arrow { font-weight: 700; text-align: center; color: var(--mute); }
.arrow[data-way="received"] { color: var(--good); }
.arrow[data-way="sent"] { color: var(--accent); }
.empty { margin: auto; padding: 2rem; color: var(--soft); }
.note:empty { display: none; }
.note { position: absolute; right: .9rem; bottom: .6rem; padding: .1rem .6rem; border-radius: 99px; background: var(--wait-soft); color: var(--wait); font-size: 12px; font-weight: 600; }
.detail { flex: 0 1 24rem; min-width: 0; display: flex; flex-direction: column; padding: .5rem .9rem .9rem; border-left: 1px solid var(--line); }
.detail .head { display: flex; align-items: center; gap: .5rem; margin-bottom: .45rem; }
.detail .head .soft { flex: 1; min-width: 0; font-size: 12px; }
.detail b { text-transform: capitalize; }
pre {
  flex: 1;
  min-height: 3rem;
  overflow: auto;
  padding: .6rem .75rem;
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: 8px;
  font: 12px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}

.views { display: none; }
@container (max-width: 56rem) {
  .detail { flex-basis: 45%; }
  .split { flex-direction: column; }
  .detail { border-left: 0; border-top: 1px solid var(--line); }
  .row { gap: .45rem; }
}
@container (max-width: 42rem) {
  .views { display: flex; }
  .gap { display: none; }
  .body { grid-template-columns: minmax(0, 1fr); }
  .overview { border-right: 0; }
  [data-view="overview"] .frames, [data-view="frames"] .overview { display: none; }
}
@container (max-width: 30rem) {
  header, .tools { padding-inline: .7rem; }
  header label, .record, .export { order: 1; }
  .views { order: 2; flex: 1 1 100%; }
  .close { margin-left: auto; }
  .row { grid-template-columns: 1.1em minmax(0, 1fr) auto; padding-inline: .7rem; }
  .row .at { display: none; }
}
@media (forced-colors: active) { .row[aria-selected="true"] { outline: 1px solid; outline-offset: -1px; } }
`;
