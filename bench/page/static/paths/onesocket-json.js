// The library with messages in JSON, in the tier that `?tier=` names.
import { page } from "./onesocket.js";

export const load = () => page("bench-onesocket-json");
