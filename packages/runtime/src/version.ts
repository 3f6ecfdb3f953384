export const VERSION = "0.1.0";

/** The OCI runtime specification that we implement: docs/oci-spec.md tells of each field. */
export const OCI_VERSION = "1.2.0";

declare const KATA_TS_COMMIT: string | undefined;

/** Set when the installable tree is bundled. */
export const COMMIT: string = typeof KATA_TS_COMMIT === "string" ? KATA_TS_COMMIT : "unknown";
