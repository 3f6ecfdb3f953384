import type { Mutant } from "./mutant.ts";

export const proxy: readonly Mutant[] = [
  {
    name: "kata-proxy keeps no more of root than it needs",
    file: "packages/proxy/src/confine.ts",
    code: "becomeUserWhoseChildrenDie(user);",
    without: "",
    test: ["e2e/test/confined-proxy", "has no right but to end its VM"],
  },
  {
    name: "no thread of kata-proxy keeps the host's files",
    file: "packages/proxy/src/confine.ts",
    code: "await changeRootOfAllThreads(path);",
    without: "",
    test: ["e2e/test/confined-proxy", "sees no file"],
  },
  {
    name: "a VM is taken back by a word that is known, and by no other",
    file: "packages/proxy/src/take-back.ts",
    code: "over) if [ -e",
    without: "*) if [ -e",
    test: ["packages/proxy/src/take-back", "knows no other word"],
  },
  {
    name: "a VM ends with its virtiofsd",
    file: "packages/proxy/src/vm-supervisor.ts",
    code: 'this.#virtiofsd?.exited.then(() => "virtiofsd-exited" as const) ?? new Promise<never>(() => undefined)',
    without: "new Promise<never>(() => undefined)",
    test: ["e2e/test/fault-matrix", "virtiofsd by SIGKILL at running"],
  },
  {
    name: "a VM whose creator is gone before it said that the VM may stay is ended",
    file: "packages/proxy/src/control.ts",
    code: "return isCommitted;",
    without: "return true;",
    test: ["e2e/test/reaper-contract", "rolls a create back whose caller was killed"],
  },
  {
    name: "a VM that a dead create has taken from the cache ends",
    file: "packages/proxy/src/control.ts",
    code: "return isCommitted;",
    without: "return true;",
    test: ["e2e/test/vm-cache", "has its VM end with a create that is killed"],
  },
  {
    name: "virtiofsd leaves no file behind",
    file: "packages/proxy/src/spawn-processes.ts",
    code: "{ ...config, listenFd: GIVEN_FD }",
    without: "config",
    test: ["e2e/test/lifecycle", "0 to 255"],
  },
  {
    name: "a console that cannot be rotated goes on",
    file: "packages/proxy/src/guest-console.ts",
    code: "return [newer];",
    without: 'throw new Error("no second file");',
    test: ["packages/proxy/src/guest-console", "no second file"],
  },
  {
    name: "what a guest asks for the time ends",
    file: "packages/proxy/src/guest-stream.ts",
    code: "asked <= MAX_QUESTIONS",
    without: "asked > 0",
    test: ["packages/proxy/src/guest-stream", "up to a limit"],
  },
  {
    name: "a console's file has a bound",
    file: "packages/proxy/src/guest-console.ts",
    code: "if (this.#written + chunk.length > FILE_BYTES) this.#rotate(newer, older);",
    without: "",
    test: ["packages/proxy/src/console-flood", "one line without end"],
  },
];
