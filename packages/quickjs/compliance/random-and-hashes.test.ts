import { createHash, randomBytes, randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";

describe("createHash", () => {
  it.each([
    ["sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "sha512",
      "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ],
  ])("%s of %j is that of the standard", (algorithm, text, digest) => {
    expect(createHash(algorithm).update(text).digest("hex")).toBe(digest);
  });

  // Digests of digests: each length around the ends of blocks, as another implementation has it.
  it.each([
    ["sha256", "3b05b530351f50663ba5ac734c246d169eafec6b57c70dc6dc94cad39d04aad8"],
    [
      "sha512",
      "8a732a2ef96b72c61264041d982c51f52f584ba520746f8dfcbe356c60311e9d68a05c40ac64998fb6bfca078a50d008373e7d30159f0e4626b1102c1cf370b3",
    ],
  ])("%s is the same in one piece and in many, around the ends of its blocks", (algorithm, expected) => {
    const all = createHash(algorithm);
    const data = Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 7) % 256));
    for (let size = 0; size <= data.length; size++) {
      const whole = createHash(algorithm).update(data.subarray(0, size)).digest();
      const pieces = createHash(algorithm);
      for (let start = 0; start < size; start += 37) pieces.update(data.subarray(start, Math.min(start + 37, size)));
      expect(pieces.digest("hex")).toBe(whole.toString("hex"));
      all.update(whole);
    }
    expect(all.digest("hex")).toBe(expected);
  });

  it("refuses what it does not know, and to go on after its digest", () => {
    expect(() => createHash("md0")).toThrow(/not supported/);
    const over = createHash("sha256");
    over.digest();
    expect(() => over.update("more")).toThrow();
    expect(() => over.digest()).toThrow(/already called/);
  });
});

describe("random", () => {
  it("bytes are as many as asked for, and never the same", () => {
    expect(randomBytes(0).length).toBe(0);
    const [one, other] = [randomBytes(1000), randomBytes(1000)];
    expect([one.length, one.equals(other)]).toEqual([1000, false]);
    expect(new Set(one.subarray(900)).size).toBeGreaterThan(10);
  });

  it("integers are of their range, all of it", () => {
    const drawn = new Set(Array.from({ length: 500 }, () => randomInt(3, 8)));
    expect([...drawn].sort()).toEqual([3, 4, 5, 6, 7]);
    expect(randomInt(1)).toBe(0);
    expect(() => randomInt(3, 3)).toThrow(RangeError);
    expect(() => randomInt(0.5)).toThrow();
  });
});
