import { expect, it } from "vitest";
import { formatMetrics } from "./prometheus.ts";

it("metrics keep their lines whatever a label holds, and families without figures are left out", () => {
  const text = formatMetrics([
    { name: "a", type: "gauge", help: "A.", samples: [{ labels: { id: 'x"y\\z\nw', pid: "1" }, value: 0.5 }] },
    { name: "b", type: "counter", help: "B.", samples: [] },
  ]);
  expect(text).toBe('# HELP a A.\n# TYPE a gauge\na{id="x\\"y\\\\z\\nw",pid="1"} 0.5\n');
});
