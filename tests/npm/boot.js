// Puts the package, and the cases that compare it with the browser, within the reach of the suite.
// ANCHOR: import
import * as onesocket from "./onesocket/index.js";
// ANCHOR_END: import
import { compare, names } from "./conformance.js";

// A machine that is busy with other tests takes its time.
onesocket.configure({ helloTimeout: 20_000 });
Object.assign(window, { onesocket, compare, names });
document.querySelector("#ready").textContent = "ready";
