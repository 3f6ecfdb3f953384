const PAGE = 4096;
const ADDRESS = 0x40_0000;
const ELF_HEADER = 64;
const PROGRAM_HEADER = 56;

/**
 * An executable for Linux on x86-64 with code in each of its pages: every page adds `step` to a sum, with which the program
 * exits (8 bits of it). A page whose code is another program's makes another sum.
 */
export function pagedProgram(pages: number, step: number): Buffer {
  const file = Buffer.alloc((pages + 2) * PAGE);
  writeHeaders(file);
  const start = ELF_HEADER + PROGRAM_HEADER;
  file.write("31ff", start, "hex"); // xor edi, edi
  jump(file, start + 2, PAGE);
  for (let page = 1; page <= pages; page += 1) {
    const at = page * PAGE;
    file.write("81c7", at, "hex"); // add edi, step
    file.writeInt32LE(step, at + 2);
    jump(file, at + 6, at + PAGE);
  }
  file.write("b83c0000000f05", (pages + 1) * PAGE, "hex"); // mov eax, SYS_exit; syscall
  return file;
}

function jump(file: Buffer, at: number, to: number): void {
  file.writeUInt8(0xe9, at);
  file.writeInt32LE(to - (at + 5), at + 1);
}

/** One segment, the whole file, readable and executable, at a fixed address. */
function writeHeaders(file: Buffer): void {
  file.write("7f454c46020101", 0, "hex"); // 64 bits, little-endian, System V
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(ADDRESS + ELF_HEADER + PROGRAM_HEADER), 24);
  file.writeBigUInt64LE(BigInt(ELF_HEADER), 32);
  file.writeUInt16LE(ELF_HEADER, 52);
  file.writeUInt16LE(PROGRAM_HEADER, 54);
  file.writeUInt16LE(1, 56);
  const segment = file.subarray(ELF_HEADER);
  segment.writeUInt32LE(1, 0); // PT_LOAD
  segment.writeUInt32LE(5, 4); // PF_R | PF_X
  segment.writeBigUInt64LE(BigInt(ADDRESS), 16);
  segment.writeBigUInt64LE(BigInt(ADDRESS), 24);
  segment.writeBigUInt64LE(BigInt(file.length), 32);
  segment.writeBigUInt64LE(BigInt(file.length), 40);
  segment.writeBigUInt64LE(BigInt(PAGE), 48);
}
