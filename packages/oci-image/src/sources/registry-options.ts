import type { Credentials } from "./docker-config.ts";
import type { RetryOptions } from "./retry.ts";

/** How a registry is spoken to. */
export interface RegistryOptions {
  /** Plain HTTP; by default only on the loopback. */
  readonly insecure?: boolean;
  /** By default those of `docker login`, and of credential helpers. */
  readonly credentials?: Credentials;
  /** Where Docker's config.json is; $DOCKER_CONFIG or ~/.docker by default. */
  readonly dockerConfig?: string;
  /** Authorities whose certificates are trusted beside the machine's, in PEM. */
  readonly authorities?: readonly string[];
  /** Milliseconds without a byte after which a connection is given up; 30 000 by default. */
  readonly stallMs?: number;
  /** What is done where a registry is busy, or a connection breaks off. */
  readonly retry?: RetryOptions;
  readonly signal?: AbortSignal | undefined;
}
