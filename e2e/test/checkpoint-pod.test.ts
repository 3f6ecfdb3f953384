import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { memberAnnotations } from "../harness/pods.ts";
import { SavableContainer } from "../harness/savable-container.ts";

describe("containers that share a VM", () => {
  expectCleanHost();

  it("are refused by checkpoint with the others' names, and one of a pod by restore; one that is left alone is saved", async () => {
    await using container = await SavableContainer.create({ size: "512m" });
    const { kata, images } = container;
    const first = await container.started();
    const { bundle } = await container.another(memberAnnotations(first));
    const member = kata.id();
    await kata.create(member, bundle);
    await kata.ok(["start", member]);

    for (const [id, reason] of [
      [first, `it shares its VM with ${member}`],
      [member, "its annotations make it one of a pod"],
    ] as const) {
      const refused = await kata.run(["checkpoint", "--image-path", images, id]);
      const why = `container ${id} cannot be saved: ${reason}`;
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(why) as unknown });
      expect(await kata.state(id)).toMatchObject({ status: "running" });
    }
    expect(existsSync(images), "nothing was written").toBe(false);
    expect(await container.ask(first, "two"), "its process goes on").toBe("one two");
    expect(await kata.ok(["exec", member, "cat", "/proc/1/comm"])).toBe("sh");

    await kata.ok(["delete", "--force", member]);
    await kata.ok(["checkpoint", "--image-path", images, first]);
    const restored = `${first}-restored`;
    const joining = await kata.run(["restore", "--bundle", bundle, "--image-path", images, restored]);
    expect(joining).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("one of a pod") as unknown });
    expect((await kata.run(["state", restored])).exitCode).toBe(1);
    await container.restoreDetached(restored);
    expect(await container.ask(restored, "three")).toBe("one two three");
  });
});
