import { closeSync, constants, openSync } from "node:fs";

/** Opens vhost-net once for each queue, so that the host's kernel moves the frames; undefined where it is not there. */
export function openVhostNet(queues: number, path = "/dev/vhost-net"): number[] | undefined {
  const opened: number[] = [];
  try {
    for (let queue = 0; queue < queues; queue++) opened.push(openSync(path, constants.O_RDWR));
    return opened;
  } catch {
    for (const fd of opened) closeSync(fd);
    return undefined;
  }
}
