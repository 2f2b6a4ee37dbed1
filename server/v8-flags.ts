import { setFlagsFromString } from "node:v8";

/**
 * Bodies of requests and columns of batches are memory outside of V8's heap that lives for milliseconds. By default V8
 * marks the whole heap each time 64 MiB more of it were allocated, 15 times a second under load, which was 40 % of the
 * CPU time of taking remote write in. With this it counts towards the limit that starts a collection as the heap does.
 */
setFlagsFromString("--external-memory-accounted-in-global-limit");

/**
 * V8 compiles code that reads typed arrays as if no buffer were ever handed to another thread, and throws all of it away when
 * the first one is, as stores do with what they write: a query of that moment took 50 ms instead of 10. Now it knows at once.
 */
const handedOver = new ArrayBuffer(1);
structuredClone(handedOver, { transfer: [handedOver] });
