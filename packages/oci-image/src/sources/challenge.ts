/** What a registry answers to those it does not know: how it wants to be told. RFC 7235, and the registry's token scheme. */
export interface Challenge {
  readonly scheme: "basic" | "bearer";
  /** Where tokens are given; of `bearer`. */
  readonly realm?: URL;
  readonly service?: string;
  readonly scope?: string;
}

/** The challenge of a `WWW-Authenticate` header; undefined for one that we cannot meet. */
export function parseChallenge(header: string): Challenge | undefined {
  const scheme = /^(basic|bearer) /i.exec(header)?.[1]?.toLowerCase();
  if (scheme === "basic") return { scheme };
  const parameters = new Map([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
  const realm = parameters.get("realm");
  if (scheme !== "bearer" || realm === undefined || !URL.canParse(realm)) return undefined;
  const [service, scope] = [parameters.get("service"), parameters.get("scope")];
  return {
    scheme,
    realm: new URL(realm),
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
}
