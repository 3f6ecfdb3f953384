import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

function hrefOf(text: string): string {
  try {
    return new URL(text).href;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

describe("a URL is written as the standard has it", () => {
  it.each([
    // Schemes, spaces and slashes.
    [" HTTP://Host/\ta\n", "http://host/a"],
    ["http:\\\\a\\b?\\#\\", "http://a/b?\\#\\"],
    ["http:host", "http://host/"],
    ["https:////host", "https://host/"],
    ["unix:///run/a b", "unix:///run/a%20b"],
    // Users and ports.
    ["http://u:p:q@h/", "http://u:p%3Aq@h/"],
    ["http://a@b@c/", "http://a%40b@c/"],
    ["http://u:@h", "http://u@h/"],
    ["http://:@h/", "http://h/"],
    ["http://u^|[]=;:p'@h/", "http://u%5E%7C%5B%5D%3D%3B:p'@h/"],
    ["http://h:00080/", "http://h/"],
    ["https://h:80", "https://h:80/"],
    ["vsock://3:1024", "vsock://3:1024"],
    // Hosts.
    ["http://%41%2e", "http://a./"],
    ["http://1.2/", "http://1.0.0.2/"],
    ["http://0x7f.1/", "http://127.0.0.1/"],
    ["http://0300.0250.1.1/", "http://192.168.1.1/"],
    ["http://256", "http://0.0.1.0/"],
    ["http://a.1x", "http://a.1x/"],
    ["http://[::FFFF:1.2.3.4]:80/", "http://[::ffff:102:304]/"],
    ["http://[0:0:1:0:0:1:1:1]", "http://[::1:0:0:1:1:1]/"],
    ["http://[1:0:2:3:4:5:6:7]", "http://[1:0:2:3:4:5:6:7]/"],
    ["x://[0::0]/", "x://[::]/"],
    ["x://H/%41", "x://H/%41"],
    // Paths.
    ["http://h/%zz/%2E%2e/a/./b/..", "http://h/a/"],
    ["http://h/a//../b", "http://h/a/b"],
    ["http://h/../../a/.%2e/c/%2e", "http://h/c/"],
    ["http://a/^|{}`[]'\"<>", "http://a/%5E|%7B%7D%60[]'%22%3C%3E"],
    ["http://h/ü\ud800\x7f~", "http://h/%C3%BC%EF%BF%BD%7F~"],
    ["x://h/../a", "x://h/a"],
    ["x:/.//a", "x:/.//a"],
    ["x:a/../b ^", "x:a/../b ^"],
    ["data:a b ?x", "data:a b%20?x"],
    // Queries and fragments.
    ["http://h/?'\"<>^`{|}", "http://h/?%27%22%3C%3E^`{|}"],
    ["x://h/?'", "x://h/?'"],
    ["http://h?#", "http://h/?#"],
    ["http://h/#`\"<> {}'?", "http://h/#%60%22%3C%3E%20{}'?"],
    // Files.
    ["file:a", "file:///a"],
    ["file://localhost/x", "file:///x"],
    ["file://h/x", "file://h/x"],
    ["file://C:/x", "file:///C:/x"],
    ["file:///C|/../y", "file:///C:/y"],
  ])("%s", (text, href) => {
    expect(hrefOf(text)).toBe(href);
    expect(hrefOf(href)).toBe(href);
    expect(URL.canParse(text)).toBe(true);
  });

  it.each([
    ...["", "a", "//h", "http://", "http://ex ample", "http://@/", "http://a%00", "http://a%20b", "x://H^", "x://u@/"],
    ...["x://:80/", "http://h:65536", "http://h:x", "http://[::1", "http://[1::%251]", "http://[1:2]", "http://[::1]x"],
    ...["http://1.2.3.4.5", "http://08", "http://a.09", "http://1.256.1", "http://256.1.1.1", "http://4294967296"],
  ])("and `%s` is none", (text) => {
    expect(hrefOf(text)).toBe("ERR_INVALID_URL");
    expect(URL.canParse(text)).toBe(false);
  });

  it("has its parts", () => {
    const url = new URL("HTTPS://u:p@Host:8443/a/../b?q=1#f");
    const { protocol, username, password, host, hostname, port, pathname, search, hash, origin } = url;
    expect([protocol, username, password, host, hostname, port]).toEqual([
      ...["https:", "u", "p", "host:8443", "host", "8443"],
    ]);
    expect([pathname, search, hash, origin]).toEqual(["/b", "?q=1", "#f", "https://host:8443"]);
    expect(JSON.stringify({ url })).toBe('{"url":"https://u:p@host:8443/b?q=1#f"}');
    expect(
      ["file:///a", "x://h", "blob:http://h:8/x", "blob:blob:http://h/"].map((each) => new URL(each).origin),
    ).toEqual([...["null", "null", "http://h:8", "null"]]);
  });
});

describe("URLs of files", () => {
  it("are made of paths, and give them back", () => {
    for (const [path, href] of [
      ["/a b/ü?#%/[1]|~^", "file:///a%20b/%C3%BC%3F%23%25/%5B1%5D%7C%7E%5E"],
      ["/a/../b\\c\n/", "file:///b%5Cc%0A/"],
      ["/", "file:///"],
    ] as const) {
      const url = pathToFileURL(path);
      expect(url.href).toBe(href);
      expect(pathToFileURL(fileURLToPath(url)).href).toBe(href);
    }
    expect(fileURLToPath("file:///a%20b")).toBe("/a b");
  });

  it.each([
    ["http://h/a", "ERR_INVALID_URL_SCHEME"],
    ["file://h/a", "ERR_INVALID_FILE_URL_HOST"],
    ["file:///a%2Fb", "ERR_INVALID_FILE_URL_PATH"],
  ])("and %s is of none", (text, code) => {
    expect(() => fileURLToPath(text)).toThrow(expect.objectContaining({ code }) as Error);
  });
});
