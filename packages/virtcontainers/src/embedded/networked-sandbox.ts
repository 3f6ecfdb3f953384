import type { Socket } from "node:net";
import type { grpc } from "@kata-ts/agent-protocol";
import type { ConnectOptions, PublishedPort } from "@kata-ts/netns/nat";
import type { GuestInterface, GuestRoute } from "../network/guest-view.ts";
import type { Network } from "../ports/network.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import { askGuest, type LimitedCall, limited } from "./ask-guest.ts";
import type { LimitOptions } from "./limit.ts";
import { checkOptions } from "./process-shape.ts";
import type { SandboxNetwork } from "./sandbox-network.ts";
import { type Readiness, waitUntilReady } from "./wait-for.ts";
import { readinessShape } from "./wait-for-shape.ts";

/** What of a sandbox is about its network. */
export abstract class NetworkedSandbox {
  readonly #live: LiveSandbox;
  readonly #port: Network;
  readonly #network: SandboxNetwork;

  protected constructor(live: LiveSandbox, port: Network, network: SandboxNetwork) {
    this.#live = live;
    this.#port = port;
    this.#network = network;
  }

  /**
   * Keeps the program running meanwhile, and the sandbox this program's.
   *
   * @param what is done, for an error of another call
   */
  protected abstract during<R>(work: () => Promise<R>, what?: string): Promise<R>;

  /** The ports of the host that lead to the sandbox: what was 0 has its number. */
  get ports(): readonly PublishedPort[] {
    return this.#network.ports;
  }

  /**
   * Connects to a TCP port of the sandbox, which need not be published.
   *
   * @throws KataError KATA_UNSUPPORTED without the network `nat`; NetnsError KATA_NETWORK where no program listens
   */
  async connect(port: number, options: ConnectOptions = {}): Promise<Socket> {
    return await this.#network.nat.connect(port, options);
  }

  /**
   * Resolves when a program of the sandbox is ready: it listens at a port, answers there, or has written what is expected.
   *
   * @throws KataError KATA_CONFIG for options that are none, KATA_STATE when it is not within the time, or can no more be; the signal's
   *   reason
   */
  async waitFor(readiness: Readiness): Promise<void> {
    checkOptions(readinessShape, readiness, "waitFor");
    const connect = (port: number, options: ConnectOptions): Promise<Socket> => this.connect(port, options);
    await this.during(() => waitUntilReady(readiness, connect, this.#live.vm));
  }

  /** Brings the guest up to date with what has changed in its network namespace. */
  async syncNetwork(limits: LimitOptions = {}): Promise<void> {
    const { vm, agent } = this.#live;
    await this.during(() => limited("bring the network up to date", limits, () => this.#port.sync(vm, agent)));
  }

  /** Gives the guest an interface of its network namespace, named by `device`. */
  async addInterface(wanted: GuestInterface, limits: LimitOptions = {}): Promise<void> {
    const { vm, agent } = this.#live;
    await this.during(() => limited("add the interface", limits, () => this.#port.add(vm, agent, wanted)));
  }

  /** Takes the one with this MAC address, or with this name, out of the guest. */
  async removeInterface(unwanted: GuestInterface, limits: LimitOptions = {}): Promise<void> {
    const { vm, agent } = this.#live;
    await this.during(() => limited("remove the interface", limits, () => this.#port.remove(vm, agent, unwanted)));
  }

  async listInterfaces(limits: LimitOptions = {}): Promise<grpc.Interfaces> {
    const ask = (call: LimitedCall): Promise<grpc.Interfaces> => this.#live.agent.listInterfaces({}, call);
    return await this.during(() => askGuest("list interfaces", limits, ask));
  }

  async listRoutes(limits: LimitOptions = {}): Promise<grpc.Routes> {
    const ask = (call: LimitedCall): Promise<grpc.Routes> => this.#live.agent.listRoutes({}, call);
    return await this.during(() => askGuest("list routes", limits, ask));
  }

  /** Replaces the guest's routes, until they change in the namespace. */
  async updateRoutes(routes: readonly GuestRoute[], limits: LimitOptions = {}): Promise<grpc.Routes> {
    const request = { routes: { Routes: [...routes] } };
    const ask = (call: LimitedCall): Promise<grpc.Routes> => this.#live.agent.updateRoutes(request, call);
    return await this.during(() => askGuest("set up routes", limits, ask));
  }
}
