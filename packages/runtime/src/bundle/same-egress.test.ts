import { describe, expect, it } from "vitest";
import { requireSameEgress } from "./same-egress.ts";

const NAME = "io.katacontainers.config.runtime.egress";

function check(member: Readonly<Record<string, string>>, pod: Readonly<Record<string, string>>): void {
  const id = "pod" as Parameters<typeof requireSameEgress>[1]["id"];
  requireSameEgress({ annotations: member } as Parameters<typeof requireSameEgress>[0], { id, annotations: pod });
}

describe("what a member of a pod may call", () => {
  it("is the pod's: nothing, or the same, is asked for", () => {
    check({}, { [NAME]: "none" });
    check({ [NAME]: "none" }, { [NAME]: "none" });
  });

  it.each([{ [NAME]: "all" }, {}])("is not its own beside a pod with %j", (pod) => {
    expect(() => {
      check({ [NAME]: "none" }, pod);
    }).toThrow(expect.objectContaining({ code: "KATA_ANNOTATION", message: expect.stringContaining(NAME) as string }));
  });
});
