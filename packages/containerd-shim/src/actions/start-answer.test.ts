import { describe, expect, it } from "vitest";
import { startAnswer } from "./start-answer.ts";

const ADDRESS = "unix:///run/containerd/s/9b74";

describe("the answer to start", () => {
  it.each([
    ["1.6, which reads an address", undefined, ADDRESS],
    ["1.7 to 2.3, which read JSON", "2", `{"version":2,"address":"${ADDRESS}","protocol":"ttrpc"}`],
    ["one that asks for version 3", "3", `{"version":3,"address":"${ADDRESS}","protocol":"ttrpc"}`],
    [
      "one that would take a version that is not served",
      "4",
      `{"version":3,"address":"${ADDRESS}","protocol":"ttrpc"}`,
    ],
    ["one that says nothing that is known", "two", ADDRESS],
    ["one that asks for version 1", "1", ADDRESS],
  ])("is that of containerd %s", (_, maxVersion, answer) => {
    expect(startAnswer(ADDRESS, maxVersion)).toBe(answer);
  });
});
