import { z } from "zod";

/** Values that more than one part of the cluster file has. */

export const text = z.string().min(1, "write something here, or leave the key out");

const PORT_RULE = "a port is a whole number from 1 to 65535";
export const port = z.int(PORT_RULE).min(1, PORT_RULE).max(65535, PORT_RULE);

/** Not 0, which Consul takes for none, and no more than Go can hold. */
const DURATION = /^(?=.*[1-9])(\d{1,6}(\.\d{1,3})?(ns|us|µs|ms|s|m|h))+$/;
const DURATION_RULE = "a duration is a number above 0 and a unit, as Go writes it: 200ms, 10s, 1m30s";
export const duration = z.string(DURATION_RULE).regex(DURATION, DURATION_RULE);

/** Text by any key: metadata. */
export const strings = z.record(text, z.string());

/** Values of keys that the schema does not have. It passes them on, because Consul has more, and new versions add some. */
export const more = z.json();
