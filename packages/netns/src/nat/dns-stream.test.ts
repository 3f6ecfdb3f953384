import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { answerStream } from "./dns-stream.ts";
import { framed } from "./dns-upstream.ts";

it("a client that has not taken an answer is not answered again", async () => {
  const steps: string[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (answer: Buffer, _, done) => {
      setImmediate(() => {
        steps.push(`${answer.subarray(2).toString()} is taken`);
        done();
      });
    },
  });
  stream.push(Buffer.concat(["one", "two"].map((query) => framed(Buffer.from(query)))));
  stream.push(null);
  await answerStream(stream, (query) => {
    steps.push(`${query.toString()} is answered`);
    return Promise.resolve(query);
  });
  expect(steps).toEqual(["one is answered", "one is taken", "two is answered", "two is taken"]);
});

it("a client that goes away is answered no more", async () => {
  const stream = new Duplex({
    read: () => undefined,
    write: (_, __, done) => {
      done(new Error("gone"));
    },
  });
  stream.push(framed(Buffer.from("one")));
  await expect(answerStream(stream, (query) => Promise.resolve(query))).rejects.toThrow("gone");
});
