export { BlockList } from "./net/block-list.ts";
export { connect, connect as createConnection } from "./net/connections.ts";
export { isIP, isIPv4, isIPv6 } from "./net/ip.ts";
export { createServer, Server } from "./net/server.ts";
export { Socket } from "./net/socket.ts";
