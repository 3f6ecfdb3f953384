export const PROXY_VERSION = "0.1.0";
