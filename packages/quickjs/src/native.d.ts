/** The functions in C, of native/*.c: a file there for each group here. Numbers of errors are Linux's. */
declare module "kata:native" {
  type Bytes = ArrayBuffer | ArrayBufferView;
  type Argument = number | bigint | boolean | string | null | undefined | Bytes | readonly (string | null)[];

  // bytes.c
  type ViewClass<View extends Uint8Array> = abstract new (...args: never[]) => View;
  /**
   * A view of memory that is not cleared.
   *
   * @param made what the view is an instance of: a class below Uint8Array, without fields; its constructor is not called
   * @throws RangeError over a gigabyte
   */
  export function allocateView<View extends Uint8Array>(
    base: Uint8ArrayConstructor,
    made: ViewClass<View>,
    size: number,
  ): View;
  /** As Uint8Array's subarray() does it. */
  export function subarrayOf<View extends Uint8Array>(
    base: Uint8ArrayConstructor,
    made: ViewClass<View>,
    view: Uint8Array,
    start: number | undefined,
    end: number | undefined,
  ): View;
  /** @returns -1, 0 or 1 */
  export function compare(a: Bytes, b: Bytes): number;
  /** The first place from `start` on, or -1. */
  export function search(bytes: Bytes, wanted: Bytes, start: number): number;
  /** The last place up to `start`, or -1. */
  export function searchLast(bytes: Bytes, wanted: Bytes, start: number): number;
  /** For a structure that points to the bytes. The caller keeps the bytes as long as the structure is used. */
  export function addressOf(bytes: Bytes): bigint;

  // text.c: a half surrogate pair, and what is no UTF-8, becomes U+FFFD. The writing ones return bytes written.
  export function utf8Encode(text: string): ArrayBuffer;
  export function utf8Length(text: string): number;
  export function utf8Write(text: string, bytes: Bytes, start: number, end: number): number;
  export function utf8Decode(bytes: Bytes, start: number, end: number): string;
  export function latin1Decode(bytes: Bytes, start: number, end: number): string;
  export function latin1Write(text: string, bytes: Bytes, start: number, end: number): number;
  export function hexDecode(bytes: Bytes, start: number, end: number): string;
  export function hexWrite(text: string, bytes: Bytes, start: number, end: number): number;

  // calls.c
  /** A libc function's number for call(), or -1 where it is not in the table. */
  export function functionNamed(name: string): number;
  /** Its result as it is. @throws TypeError for what cannot be passed */
  export function call(libcFunction: number, ...args: Argument[]): number;
  /** Of the last call(). */
  export function errno(): number;

  // io.c: an error is its negative number.
  export function read(fd: number, bytes: Bytes, start: number, end: number, position: number): number;
  export function write(fd: number, bytes: Bytes, start: number, end: number, position: number): number;
  export function readv(fd: number, views: readonly ArrayBufferView[]): number;
  export function writev(fd: number, views: readonly ArrayBufferView[]): number;
  export function epollCreate(): number;
  export function epollControl(epoll: number, operation: number, fd: number, events: number): number;
  /** Fills `found` with descriptors and their events by turns. @returns how many descriptors */
  export function epollWait(epoll: number, found: Int32Array, milliseconds: number): number;
  /** Milliseconds, with a fraction. */
  export function monotonicTime(): number;

  // threads.c
  /** @returns a number, which is written to `notify` as a byte at the end; negative: an error */
  export function threadStart(notify: number, libcFunction: number, ...args: Argument[]): number;
  /** What the call returned, or its negative error; frees the number. */
  export function threadResult(number: number): number;

  // hash.c
  /** The state of a SHA-256, or of a SHA-512. */
  export function hashStart(isLong: boolean): ArrayBuffer;
  export function hashTake(state: ArrayBuffer, bytes: Bytes): void;
  /** The digest; the state is of no use then. @throws RangeError for what is no state */
  export function hashEnd(state: ArrayBuffer): ArrayBuffer;

  // host.c
  export function programArguments(): string[];
  /** Whether the program is in the file of the engine: all arguments but the first are its own. */
  export function isInOneFile(): boolean;
  export function environment(): string[];
  /** Given the promise of the program's evaluation; returns the exit status. */
  export function setLoop(loop: (evaluated: Promise<unknown>) => number): void;
  export function setRejectionHandler(handler: (promise: object, reason: unknown, isHandled: boolean) => void): void;
  export function runJobs(): void;
  /** Collects garbage in cycles; all other garbage is gone at once. */
  export function collect(): void;
}
