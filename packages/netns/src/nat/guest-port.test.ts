import { expect, it } from "vitest";
import { connectGuest } from "./guest-port.ts";

it("a guest that cannot be reached at all is reported as any other", async () => {
  const gone = connectGuest({ namespace: "/proc/self/fd/99999", address: "127.0.0.1" }, 80);
  await expect(gone).rejects.toMatchObject({
    code: "KATA_NETWORK",
    message: expect.stringContaining("port 80") as string,
  });
});
