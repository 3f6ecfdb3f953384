import { DEFAULT_WINDOW } from "./protocol.ts";
import { decodeSettings, Setting } from "./settings.ts";

/** HPACK's default. */
const TABLE_BYTES = 4096;

/** What the peer has said of itself, as far as it matters to a sender. */
export class PeerSettings {
  #areKnown = false;
  #window = DEFAULT_WINDOW;
  #maxStreams = Number.POSITIVE_INFINITY;
  #tableBytes = TABLE_BYTES;

  /** True once the peer has sent any. */
  get areKnown(): boolean {
    return this.#areKnown;
  }

  /** Bytes of data that a new stream may send. */
  get window(): number {
    return this.#window;
  }

  /** Streams that may be open at a time. */
  get maxStreams(): number {
    return this.#maxStreams;
  }

  /** Its decoder has a smaller table than by default, which an encoder has to answer to (RFC 7541, 4.2). */
  get hasSmallerTable(): boolean {
    return this.#tableBytes < TABLE_BYTES;
  }

  /**
   * @param body of a SETTINGS frame
   * @returns by how much the windows of open streams change
   * @throws Http2Error
   */
  update(body: Buffer): number {
    const settings = decodeSettings(body);
    const before = this.#window;
    this.#areKnown = true;
    this.#window = settings.get(Setting.InitialWindowSize) ?? before;
    this.#maxStreams = settings.get(Setting.MaxConcurrentStreams) ?? this.#maxStreams;
    this.#tableBytes = settings.get(Setting.HeaderTableSize) ?? this.#tableBytes;
    return this.#window - before;
  }
}
