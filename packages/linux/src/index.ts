/**
 * The only room of kata-ts where native code is touched. Every function is synchronous and acts on the calling thread
 * unless it says otherwise. Linux only; most calls need root.
 *
 * @example
 * ```ts
 * import { inNamespace } from "@kata-ts/linux";
 * import { networkInterfaces } from "node:os";
 *
 * const links = inNamespace("net", "/proc/self/ns/net", () => networkInterfaces());
 * ```
 *
 * @module
 */
export { descriptorOf, receiveDescriptor, sendConsole, sendDescriptor } from "./descriptor-passing.ts";
export { dial } from "./dial.ts";
export { type VisitDirectory, visitDirectories } from "./directory-tree.ts";
export { isDiskFull } from "./disk-full.ts";
export { type Distribution, type HostProgram, howToInstall, thisDistribution } from "./distribution.ts";
export { escapeControls } from "./escape.ts";
export {
  type DeviceNumber,
  type DirectoryName,
  deviceNumber,
  flushFileSystem,
  makeNode,
  namesIn,
  openInRoot,
  PATH_ONLY,
  refreshAttributes,
  setExtendedAttribute,
} from "./files.ts";
export { findProgram, isProgram } from "./find-program.ts";
export { type FileLock, type LockOptions, lockFile, tryLockFile } from "./flock.ts";
export { inheritedLimits, limitFileSize, type ResourceLimit, unlimitLockedMemory } from "./limits.ts";
export { releaseMemory } from "./memory.ts";
export { createMemoryFile } from "./memory-file.ts";
export { createMemoryFileSystem } from "./memory-file-system.ts";
export {
  attachMountTree,
  changeRoot,
  changeRootOfAllThreads,
  cloneMountTree,
  forbidDevices,
  inOwnMountNamespace,
  MountFlag,
  makeTreeHarmless,
  makeTreeReadOnly,
  mount,
  mountInThread,
  pinDirectory,
  pivotInto,
  setMountReadOnly,
  setTreePropagation,
  unmount,
  unmountInThread,
} from "./mounts.ts";
export { networkNamespaceCookie } from "./namespace-cookie.ts";
export {
  enterNamespace,
  inNamespace,
  inNewNamespace,
  type NamespaceKind,
  namespaceKindOf,
  unshare,
} from "./namespaces.ts";
export { LinuxError } from "./native.ts";
export { type KernelEvents, openKernelEvents } from "./netlink.ts";
export { originalPort } from "./original-destination.ts";
export { ForeignFileError, readOwnFile } from "./own-files.ts";
export { type LoggedPacket, openPacketLog } from "./packet-log.ts";
export {
  createPipe,
  NONBLOCKING_READ,
  NONBLOCKING_WRITE,
  type PipeEnds,
  releaseDescriptor,
  setPipeSize,
  unreadBytes,
} from "./pipes.ts";
export { openPollable, type PollableOptions, serveDescriptor } from "./pollable.ts";
export { becomeUser, becomeUserWhoseChildrenDie } from "./privileges.ts";
export { processEnd } from "./process-end.ts";
export {
  becomeSubreaper,
  bootId,
  type DeadChild,
  identifyProcess,
  isAlive,
  isAtWork,
  isUserInUse,
  type ProcessIdentity,
  processTree,
  readProcessStat,
  reapChild,
  signalProcess,
} from "./processes.ts";
export { randomUuid } from "./random.ts";
export { type AllowedCalls, denySystemCalls } from "./seccomp.ts";
export { onRealTimeSignals, unblockSignal } from "./signals.ts";
export { Silence } from "./silence.ts";
export { connectUnix, listenLoopback, listenTcp, listenUnix, openDatagrams, socketPair } from "./sockets.ts";
export { type StandardDescriptors, spawnProcess } from "./spawn.ts";
export { addEntropy, setDateTime, setHostname, slewClock, stepClock, wallClock } from "./system.ts";
export { SYSTEM_PATH } from "./system-path.ts";
export { Tail } from "./tail.ts";
export { connected, connectTcp, resetTcp } from "./tcp.ts";
export {
  isHungUp,
  makeRaw,
  openTerminal,
  setControllingTerminal,
  setModes,
  setWindowSize,
  type TerminalModes,
  type TerminalPair,
  type WindowSize,
  windowSize,
} from "./terminals.ts";
export { type ExitInfo, SpawnError, spawnTied, type TiedOptions, type TiedProcess } from "./tied-process.ts";
export { openMacvtap, openTap, type TapOptions } from "./tun.ts";
export {
  connectVsock,
  HOST_CID,
  listenVsock,
  openVhostVsock,
  type VsockAddress,
  vsockPeer,
} from "./vsock.ts";
