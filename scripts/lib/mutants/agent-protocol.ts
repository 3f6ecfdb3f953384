import type { Mutant } from "./mutant.ts";

export const agentProtocol: readonly Mutant[] = [
  {
    name: "a call to a guest that hangs is given up",
    file: "packages/agent-protocol/src/rpc/client.ts",
    code: "const SILENCE_MS = 20_000;",
    without: "const SILENCE_MS = 200_000;",
    test: ["e2e/test/fault-matrix", "agent by SIGSTOP at sandbox-created"],
  },
  {
    name: "a reply has a bound",
    file: "packages/agent-protocol/src/rpc/caller.ts",
    code: "MAX_REPLY_BYTES: number = 4 * 1024 * 1024",
    without: "MAX_REPLY_BYTES: number = 4096 * 1024 * 1024",
    test: ["e2e/test/hostile-agent", "with a huge reply"],
  },
  {
    name: "a busy host is not taken for an agent that hangs",
    file: "packages/agent-protocol/src/rpc/watchful-caller.ts",
    code: "missed += share();",
    without: "missed += Math.max(1, share());",
    test: ["packages/agent-protocol/src/rpc/watchful-caller", "little time for the agent"],
  },
  {
    name: "a guest that reads no answers is not read",
    file: "packages/agent-protocol/src/yamux/intake.ts",
    code: "return this.#held > memoryBudget || this.#owed > MAX_OWED_FRAMES;",
    without: "return this.#held > memoryBudget;",
    test: ["packages/proxy/src/relay-flood", "opens streams and never reads"],
  },
  {
    name: "single bytes are merged",
    file: "packages/agent-protocol/src/byte-queue.ts",
    code: "return piece.length >= SMALL_BYTES && piece.length >= piece.buffer.byteLength / 3;",
    without: "return true;",
    test: ["packages/agent-protocol/src/process-stream/process-stream", "that nothing reads"],
  },
  {
    name: "a reply is refused before it becomes many objects",
    file: "packages/agent-protocol/src/rpc/client.ts",
    code: "if (reply.length > definition.maxReplyBytes)",
    without: "if (reply.length < 0)",
    test: ["packages/agent-protocol/test/rpc", "become many objects"],
  },
  {
    name: "what a guest says again costs nothing",
    file: "packages/agent-protocol/src/process-stream/guest-input.ts",
    code: "if (this.#gone) return; // The guest may say so without end.",
    without: "",
    test: ["packages/agent-protocol/src/process-stream/process-stream", "being said again"],
  },
  {
    name: "an answer by gRPC has a bound",
    file: "packages/agent-protocol/src/rpc/grpc/message.ts",
    code: "if (length > this.#maxBytes) {",
    without: "if (length < 0) {",
    test: ["e2e/test/hostile-agent", "with a huge reply"],
  },
];
