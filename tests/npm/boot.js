// Puts the package, and the cases that compare it with the browser, within the reach of the suite.
import * as onesocket from "./onesocket/index.js";
import { compare, names } from "./conformance.js";

// A machine that is busy with other tests takes its time.
onesocket.configure({ helloTimeout: 20_000 });
Object.assign(window, { onesocket, compare, names });
document.querySelector("#ready").textContent = "ready";
