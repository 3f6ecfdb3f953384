import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import type { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { networkedRuntimes, PORT, peerIn, startPeer } from "../harness/networked.ts";

const TIMEOUT = 240_000;
const PLUGINS = "/usr/lib/cni";
const BRIDGE = "cni-e2e0";
const HOST_PORT = 18_080;

/** The distribution's plugins, called as engines call them, in a host's namespace of the test's own. */
class Cni {
  readonly #kata: Kata;
  readonly #host: string;
  readonly #pod: string;
  #previous: unknown;

  constructor(kata: Kata, host: string, pod: string) {
    this.#kata = kata;
    this.#host = host;
    this.#pod = pod;
  }

  async add(): Promise<{ ips: { address: string; gateway: string }[] }> {
    this.#previous = await this.#call("bridge", "ADD");
    return (await this.#call("portmap", "ADD")) as { ips: { address: string; gateway: string }[] };
  }

  async remove(): Promise<void> {
    await this.#call("portmap", "DEL");
    await this.#call("bridge", "DEL");
  }

  async #call(plugin: string, command: string): Promise<unknown> {
    const config = {
      cniVersion: "0.4.0",
      name: "e2e",
      type: plugin,
      ...(this.#previous === undefined ? {} : { prevResult: this.#previous }),
      ...(plugin === "bridge"
        ? {
            bridge: BRIDGE,
            isGateway: true,
            ipMasq: false,
            ipam: {
              type: "host-local",
              subnet: "10.220.0.0/24",
              routes: [{ dst: "0.0.0.0/0" }],
              dataDir: `${this.#kata.directory}/cni`,
            },
          }
        : {
            capabilities: { portMappings: true },
            runtimeConfig: { portMappings: [{ hostPort: HOST_PORT, containerPort: Number(PORT), protocol: "tcp" }] },
          }),
    };
    const result = await runCommand("nsenter", [`--net=${this.#host}`, `${PLUGINS}/${plugin}`], {
      input: JSON.stringify(config),
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        CNI_COMMAND: command,
        CNI_CONTAINERID: "e2e",
        CNI_NETNS: this.#pod,
        CNI_IFNAME: "eth0",
        CNI_PATH: PLUGINS,
      },
    });
    if (result.exitCode !== 0) throw new Error(`${plugin} ${command}: ${result.stdout}${result.stderr}`);
    return result.stdout === "" ? undefined : (JSON.parse(result.stdout) as unknown);
  }
}

describe.each(networkedRuntimes(1))("CNI's bridge and portmap under %s", (_name, open) => {
  expectCleanHost();

  it(
    "give the container an address, a way out, and a port of the host's",
    async () => {
      await using network = new TestNetwork();
      const [host, client, pod] = [await network.namespace(), await network.namespace(), await network.namespace()];
      await network.veth(
        { namespace: host, name: "lan0", addresses: ["192.0.2.1/24"] },
        { namespace: client, name: "eth0", addresses: ["192.0.2.2/24"] },
      );
      await network.ip(client, "route add default via 192.0.2.1");
      await network.serve(client, "serve", PORT);
      await using kata = open();
      const cni = new Cni(kata, host, pod);
      const [given] = (await cni.add()).ips;
      await network.run(host, "sysctl", "-qw", "net.ipv4.ip_forward=1");
      await network.settled(pod, "eth0");
      const before = await network.snapshot(pod);
      const id = await startPeer(kata, pod);
      expect(await kata.ok(["exec", id, "/busybox", "ip", "addr"])).toContain(given?.address);
      expect(await peerIn(kata, id, "download", "192.0.2.2", PORT, "4")).toMatch(/^[\da-f]{64}$/);
      // From elsewhere, to the host's port.
      expect(await network.peer(client, "download", "192.0.2.1", String(HOST_PORT), "4")).toMatch(/^[\da-f]{64}$/);
      await kata.ok(["delete", "--force", id]);
      expect(await network.snapshot(pod)).toBe(before);
      await cni.remove();
    },
    TIMEOUT,
  );
});
