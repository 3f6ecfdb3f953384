// Every test of the directory compliance runs on Node by itself, and on the engine by this file.
import { globSync } from "node:fs";
import { join } from "node:path";
import { prepareCheckedScriptEngine, prepareScriptEngine } from "@kata-ts/guest-image";
import { describe, expect, it } from "vitest";
import { runTestsOnEngine } from "../src/runner/run-tests.ts";

const PACKAGES = join(import.meta.dirname, "..", "..");
const QUICKJS = join(PACKAGES, "quickjs");
const native = join(QUICKJS, "native");

/** Of our programs, and of what they are made of: tests that need no gRPC, no fake timers, and none of Node's own figures. */
const OF_PROGRAMS = [
  ...files("shim", "src/*.test.ts"),
  ...files(
    "agent",
    "src/container/{applicable,guest-hooks,guest-spec,home,named-user,oci-runtime,output,root-dev,stdio}.test.ts",
  ),
  ...files("agent", "src/files/transfers.test.ts"),
  ...files("agent", "src/storage/{find-disk,mount-options,published-copy}.test.ts"),
  ...files("agent", "src/{find-port,log-calls}.test.ts"),
  ...files("agent-protocol", "src/{oci/convert,oci/lost-fields,rpc/load-codecs,yamux/frame-reader}.test.ts"),
  ...files("agent-protocol", "test/{ttrpc-services,yamux-js,yamux-session}.test.ts"),
  ...files("agent-protocol", "src/{http2/frame-allowance,rpc/grpc/memory-budget,rpc/grpc/metadata}.test.ts"),
  ...files("agent-protocol", "test/{grpc/served-call,http2/connection,http2/refusals}.test.ts"),
  ...files("proxy", "src/{engine-resolver,flags,guest-channel,guest-console,guest-stream}.test.ts"),
  ...files("proxy", "src/{helper-output,out-of-memory,relay}.test.ts"),
  ...files("linux", "src/{dial,linux,serve-descriptor,sockets,terminals}.test.ts"),
];

const { program } = await prepareScriptEngine({ native });
const checked = await prepareCheckedScriptEngine({ native });

describe.each([
  ["the engine", program, [...files("quickjs", "compliance/*.test.ts"), ...OF_PROGRAMS]],
  ["the engine that checks its memory", checked, files("quickjs", "{compliance,native-tests}/*.ts")],
] as const)("on %s", (_name, engine, tests) => {
  for (const file of tests) {
    describe(file, async () => {
      for (const { name, failure } of await runTestsOnEngine(engine, join(PACKAGES, file))) {
        it(name, () => {
          expect(failure).toBeUndefined();
        });
      }
    });
  }
});

function files(packageName: string, pattern: string): string[] {
  return globSync(`${packageName}/${pattern}`, { cwd: PACKAGES }).sort();
}
