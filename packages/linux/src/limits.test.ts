import { describe, expect, it } from "vitest";
import { inheritedLimits } from "./limits.ts";

const TEXT = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             95231                95231                processes 
Max open files            1048576              1048576              files     
Max locked memory         8388608              8388608              bytes     
Max address space         unlimited            unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       95231                95231                signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    0                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            unlimited            us        
`;
const NAMES = ["CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS"];

describe("limits that a child would inherit", () => {
  it("are all sixteen, by the names of config.json", () => {
    const limits = inheritedLimits(TEXT, undefined);
    expect(limits.map(({ type }) => type.slice("RLIMIT_".length))).toEqual([
      ...NAMES,
      ...["SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"],
    ]);
    expect(limits).toContainEqual({ type: "RLIMIT_STACK", soft: 8_388_608, hard: 2n ** 64n - 1n });
    expect(limits).toContainEqual({ type: "RLIMIT_NOFILE", soft: 1_048_576, hard: 1_048_576 });
  });

  it("have the caller's soft limit of open files, which Node has raised", () => {
    expect(inheritedLimits(TEXT, "1024")).toContainEqual({ type: "RLIMIT_NOFILE", soft: 1024, hard: 1_048_576 });
    expect(inheritedLimits(TEXT, "nonsense")).toContainEqual({
      type: "RLIMIT_NOFILE",
      soft: 1_048_576,
      hard: 1_048_576,
    });
  });

  it("of this very process can be read", () => {
    expect(inheritedLimits()).toHaveLength(16);
  });
});
