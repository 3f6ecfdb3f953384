/** QEMU or one of its helpers could not do what it was asked. */
export class QemuError extends Error {
  override readonly name = "QemuError";
  readonly code: QemuErrorCode;

  constructor(code: QemuErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type QemuErrorCode =
  /** The command was refused by QEMU; the message holds its class and description. */
  | "KATA_QMP_COMMAND"
  /** QEMU did not answer in time. */
  | "KATA_QMP_TIMEOUT"
  /** The connection ended: QEMU is gone, or stopped listening. */
  | "KATA_QMP_CLOSED"
  /** What came over the socket is not QMP, or is larger than allowed. */
  | "KATA_QMP_PROTOCOL"
  /** The machine stands still, and could not be let go on. */
  | "KATA_QMP_STOPPED"
  /** A program could not be started. */
  | "KATA_SPAWN";
