// What Node's programs find without an import. A bundle for this engine begins with this file.
import "./symbols.ts";
import { TextDecoder, TextEncoder } from "./buffer/text.ts";
import { Buffer } from "./buffer.ts";
import { console } from "./console.ts";
import { AsyncDisposableStack, DisposableStack, SuppressedError } from "./disposable-stacks.ts";
import { AbortController, AbortSignal } from "./dom/abort.ts";
import { DOMException } from "./dom/dom-exception.ts";
import { Event, EventTarget } from "./dom/event-target.ts";
import { URL } from "./dom/url.ts";
import { URLSearchParams } from "./dom/url-search-params.ts";
import { completeJson } from "./json.ts";
import { queueMicrotask } from "./loop/ticks.ts";
import { dirname, resolve } from "./path.ts";
import { performance } from "./performance.ts";
import process from "./process.ts";
import { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "./timers.ts";

completeJson();
const globals = {
  ...{
    AbortController,
    AbortSignal,
    Buffer,
    DOMException,
    Event,
    EventTarget,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
  },
  ...{ clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout, queueMicrotask },
  ...{ AsyncDisposableStack, DisposableStack, SuppressedError },
  ...{ console, performance, process, global: globalThis },
  __programDirectory: dirname(resolve(process.argv[1] ?? "")),
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
// Stacks are written when an Error is made, and are no longer than they are.
Object.defineProperty(Error, "captureStackTrace", { value: () => undefined, writable: true, configurable: true });
