import { expect, it } from "vitest";
import { portTexts } from "./port-texts.ts";
import { parsePort } from "./ports.ts";

it.each<[readonly string[], readonly string[]]>([
  [["8000-8010:8000-8010"], ["0.0.0.0:8000-8010->8000-8010/tcp"]],
  [["[::1]:53-54:53-54/udp"], ["[::1]:53-54->53-54/udp"]],
  [["8001:8001", "8000:8000"], ["0.0.0.0:8000-8001->8000-8001/tcp"]],
  [
    ["80:80", "82:82"],
    ["0.0.0.0:80->80/tcp", "0.0.0.0:82->82/tcp"],
  ],
  [
    ["80-81:80-81", "127.0.0.1:82:82", "82:82/udp"],
    ["0.0.0.0:80-81->80-81/tcp", "0.0.0.0:82->82/udp", "127.0.0.1:82->82/tcp"],
  ],
  [
    ["8000-8001:9000-9001", "80:80"],
    ["0.0.0.0:80->80/tcp", "0.0.0.0:8000->9000/tcp", "0.0.0.0:8001->9001/tcp"],
  ],
])("%j is shown as Docker shows it", (given, shown) => {
  expect(portTexts(given.flatMap(parsePort))).toEqual(shown);
});

it("the same ports at two addresses are two ranges", () => {
  const given = ["127.0.0.1:80-81:80-81", "127.0.0.2:80-81:80-81"];
  expect(portTexts(given.flatMap(parsePort))).toEqual(["127.0.0.1:80-81->80-81/tcp", "127.0.0.2:80-81->80-81/tcp"]);
});
