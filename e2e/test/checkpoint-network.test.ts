import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import type { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { SavableContainer, WEB_PORT } from "../harness/savable-container.ts";

/** Prints what the container's web server answers. */
const ASK = `import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], ${String(WEB_PORT)}, timeout=30)
connection.request("GET", "/")
print(connection.getresponse().read().decode(), end="")`;

/** Asks the world's end of test traffic for no bytes at all, which it says the checksum of. */
const REACH = `import socket, sys
with socket.create_connection((sys.argv[1], 7000), 30) as connection:
    connection.sendall(b"d" + bytes(4))
    print(len(connection.recv(32, socket.MSG_WAITALL)), end="")`;

interface Interface {
  readonly IPAddresses: readonly { readonly Address: string }[];
}

/** A namespace for a container, with a card and a default route, and one beyond it, whose address only that route leads to. */
class Place {
  readonly network: TestNetwork;
  readonly pod: string;
  readonly #world: string;
  readonly #subnet: string;

  private constructor(network: TestNetwork, pod: string, world: string, subnet: string) {
    this.network = network;
    this.pod = pod;
    this.#world = world;
    this.#subnet = subnet;
  }

  static async make(network: TestNetwork, subnet: string): Promise<Place> {
    const place = new Place(network, await network.namespace(), await network.namespace(), subnet);
    await network.veth(
      { namespace: place.pod, name: "eth0", addresses: [`${subnet}.2/24`] },
      { namespace: place.#world, name: "peer", addresses: [`${subnet}.1/24`] },
    );
    await network.ip(place.pod, `route add default via ${subnet}.1`);
    await network.ip(place.#world, `addr add ${place.beyond}/32 dev lo`);
    await network.serve(place.#world, "serve", "7000");
    return place;
  }

  /** An address outside of the namespace's own network. */
  get beyond(): string {
    return `${this.#subnet.replace("10.", "11.")}.1`;
  }

  /** What the container's web server says to the world. */
  async page(): Promise<string> {
    const { stdout, stderr } = await this.network.run(this.#world, "python3", "-c", ASK, `${this.#subnet}.2`);
    expect(stderr).toBe("");
    return stdout;
  }

  /** The guest's own answer to what addresses and routes it has, and whether these lead out. */
  async expectIn(kata: Kata, id: string): Promise<void> {
    const interfaces = JSON.parse(await kata.ok(["kata-network", "list-ifaces", id])) as Interface[];
    const addresses = interfaces.flatMap(({ IPAddresses }) => IPAddresses.map(({ Address }) => Address));
    expect(addresses.filter((address) => /^1\d\./.test(address))).toEqual([`${this.#subnet}.2`]);
    const routes = JSON.parse(await kata.ok(["kata-network", "list-routes", id])) as { Gateway: string }[];
    expect(routes.map(({ Gateway }) => Gateway).filter(Boolean)).toEqual([`${this.#subnet}.1`]);
    expect(await kata.ok(["exec", id, "python3", "-c", REACH, this.beyond])).toBe("32");
  }
}

describe.each(["tcfilter", "macvtap"])("checkpoint and restore in a network namespace, by %s", (model) => {
  expectCleanHost();

  it("a web server goes on with its network, and with that of another namespace where it is restored", async () => {
    await using network = new TestNetwork();
    const first = await Place.make(network, "10.77.1");
    const second = await Place.make(network, "10.77.2");
    await using container = await SavableContainer.create({
      size: "512m",
      toml: `[runtime]\ninternetworking_model = "${model}"\n`,
      web: true,
    });
    const { kata, images } = container;
    container.setNetwork(first.pod);
    const id = await container.started();
    expect(await first.page()).toBe("one");
    await kata.ok(["checkpoint", "--leave-running", "--image-path", images, id]);
    expect(await container.ask(id, "two")).toBe("one two");
    expect(await first.page()).toBe("one two");
    await first.expectIn(kata, id);

    const before = await network.snapshot(second.pod);
    container.setNetwork(second.pod);
    const other = `${id}-other`;
    await container.restoreDetached(other);
    expect(await second.page(), "by the socket that it listened at").toBe("one");
    expect(await container.ask(other, "again")).toBe("one again");
    await second.expectIn(kata, other);
    expect([await first.page(), await second.page()], "both run").toEqual(["one two", "one again"]);
    for (const each of [id, other]) await kata.ok(["delete", "--force", each]);
    expect(await network.snapshot(second.pod), "the namespace is as it was").toBe(before);

    await network.remove(first.pod);
    const last = `${id}-last`;
    await container.restoreDetached(last);
    expect(await second.page(), "the namespace that it was saved in is gone").toBe("one");
    await second.expectIn(kata, last);
    await kata.ok(["checkpoint", "--image-path", images, last]);
    expect(await network.snapshot(second.pod), "it is deleted once it is saved").toBe(before);
  });
});
