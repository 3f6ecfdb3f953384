// For unref.test.ts: a program that has nothing to do but its sandbox.
import { Sandbox } from "../../src/index.ts";
import { FakeAgent, fakePorts } from "../../src/testing/index.ts";

const [wanted = ""] = process.argv.slice(2);
const agent = new FakeAgent({ stdout: "", status: 0 });
const ports = fakePorts(() => agent.connect());
const sandbox = await Sandbox.create({ vm: { kernelPath: "/kernel", imagePath: "/image" } }, ports);
const [vm] = await ports.hypervisor.found();
sandbox.events.on("end", () => process.stdout.write("ended\n"));
if (wanted.includes("unref")) sandbox.unref();
if (wanted.endsWith("ref again")) sandbox.ref();
process.stdout.write(`${String(vm?.state.vmm.pid)}\n`);
