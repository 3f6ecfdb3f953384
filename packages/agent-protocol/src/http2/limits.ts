/** Of the fields of one header block, by HPACK's count. */
export const MAX_HEADER_LIST_BYTES: number = 64 * 1024;
