import { describe, expect, it } from "vitest";
import { REDACTED, redact } from "./redact.ts";

describe("what a report shows", () => {
  it.each([
    'kernel_params = "root_token=hunter2 quiet"',
    "DB_PASSWORD=hunter2",
    'password: "hunter2"',
    '{"apiKey": "hunter2", "a": 1}',
    "auth_token='hunter2'",
    "proxy http://me:hunter2@proxy:3128/x",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nhunter2 and no end",
    'client_secret = "two \\" hunter2"',
  ])("has no secret of %j", (text) => {
    const shown = redact(text);
    expect(shown).not.toContain("hunter2");
    expect(shown).toContain(REDACTED);
  });

  it.each(["default_memory = 2048", 'path = "/usr/bin/qemu"', "the VM ended: status 1", "http://host:80/x"])(
    "leaves %j as it is",
    (text) => {
      expect(redact(text)).toBe(text);
    },
  );
});
