/** A saved guest, as files. */
export interface SavedGuest {
  readonly path: string;
  /** As large as the guest's memory, with holes. */
  readonly memory: string;
  /** Processors and devices, as the monitor writes them. */
  readonly state: string;
}
