import { expect, it } from "vitest";
import { parseReference } from "./reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

it.each([
  ["alpine", "registry-1.docker.io", "library/alpine", "latest"],
  ["alpine:3.20", "registry-1.docker.io", "library/alpine", "3.20"],
  ["docker.io/alpine", "registry-1.docker.io", "library/alpine", "latest"],
  ["index.docker.io/alpine:1", "registry-1.docker.io", "library/alpine", "1"],
  ["Own/app", "Own", "app", "latest"],
  ["[::1]:5000/app:1", "[::1]:5000", "app", "1"],
  ["me/app", "registry-1.docker.io", "me/app", "latest"],
  ["localhost:5000/app:1", "localhost:5000", "app", "1"],
  ["localhost/app", "localhost", "app", "latest"],
  ["quay.io/a/b/c:v1", "quay.io", "a/b/c", "v1"],
  [`ghcr.io/a/b@${DIGEST}`, "ghcr.io", "a/b", DIGEST],
  [`ghcr.io/a/b:v1@${DIGEST}`, "ghcr.io", "a/b", DIGEST],
])("%s is read as Docker reads it", (text, host, repository, version) => {
  expect(parseReference(text)).toEqual({ host, repository, version });
});

it.each([
  "",
  "UPPER",
  "a//b",
  "../x",
  "a:b:c",
  "a@sha256:short",
  "host:port:1/x",
  "a b",
  "x:../y",
  "a.b/c/../d",
  "u@h/x",
  "a".repeat(64),
  `x@sha512:${"a".repeat(128)}`,
])("%j is refused", (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "KATA_IMAGE_REFERENCE" }));
});
