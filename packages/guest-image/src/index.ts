export { buildRootfs } from "./rootfs.ts";
