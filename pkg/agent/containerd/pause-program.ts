/**
 * The program that holds a pod's namespaces, as an ELF executable of some 300 bytes: it ignores SIGCHLD, so that the
 * kernel reaps the orphans of a shared process namespace, ends on SIGTERM and SIGINT, and sleeps.
 */
export function pauseProgram(architecture: string): Uint8Array {
  switch (architecture) {
    case "amd64":
      return elf(62, 0x1000n, amd64Code());
    case "arm64":
      return elf(183, 0x10000n, arm64Code());
    default:
      throw new Error(
        `mini8s brings no pause image for ${architecture}: name one with --pause-image`,
      );
  }
}

/** Where the file is mapped; the code follows the two headers. */
const base = 0x400000;
const headerBytes = 64 + 56;
const codeAddress = base + headerBytes;

const signals = { SIGCHLD: 17, SIGTERM: 15, SIGINT: 2 };
const SIG_IGN = 1n;
/** Without a restorer the x86-64 kernel refuses to deliver; ours never returns, so any address will do. */
const SA_RESTORER = 0x04000000n;

function amd64Code(): Uint8Array {
  const ignore = codeAddress + 96;
  const onSignal = ignore + 32;
  const exit = codeAddress + 84;
  const sigaction = (signal: number, action: number) => [
    ...[0xb8, 13, 0, 0, 0], // mov eax, rt_sigaction
    ...[0xbf, signal, 0, 0, 0], // mov edi, signal
    ...[0xbe, ...littleEndian(BigInt(action), 4)], // mov esi, action
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8 (bytes of a signal set)
    ...[0x0f, 0x05], // syscall
  ];
  const code = [
    ...sigaction(signals.SIGCHLD, ignore),
    ...sigaction(signals.SIGTERM, onSignal),
    ...sigaction(signals.SIGINT, onSignal),
    ...[0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7], // again: mov eax, pause; syscall; jmp again
    ...[0xb8, 231, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05], // exit: mov eax, exit_group; xor edi, edi; syscall
    ...[0, 0, 0], // up to the next multiple of eight
  ];
  return Uint8Array.from([...code, ...actions(BigInt(exit))]);
}

function arm64Code(): Uint8Array {
  const svc = 0xd4000001;
  const mov = (register: number, value: number) => 0xd2800000 | (value << 5) | register;
  const words: number[] = [];
  // Each block below is six words; then five of the wait, one of the jump, three of the exit.
  const waitWord = 18;
  const exitWord = 24;
  const ignoreWord = 28;
  const onSignalWord = ignoreWord + 8;
  const adr = (register: number, word: number) =>
    0x10000000 | ((word - words.length) << 5) | register;
  for (const [signal, action] of [
    [signals.SIGCHLD, ignoreWord],
    [signals.SIGTERM, onSignalWord],
    [signals.SIGINT, onSignalWord],
  ] as const) {
    words.push(mov(8, 134)); // rt_sigaction
    words.push(mov(0, signal));
    words.push(adr(1, action));
    words.push(mov(2, 0));
    words.push(mov(3, 8)); // bytes of a signal set
    words.push(svc);
  }
  words.push(mov(8, 73)); // again: ppoll(nothing, for ever)
  words.push(mov(0, 0), mov(1, 0), mov(2, 0));
  words.push(svc);
  words.push(0x14000000 | ((waitWord - words.length) & 0x3ffffff)); // b again
  words.push(mov(8, 94), mov(0, 0), svc); // exit: exit_group(0)
  words.push(0xd503201f); // nop, up to the next multiple of eight
  const code = words.flatMap((word) => littleEndian(BigInt(word >>> 0), 4));
  return Uint8Array.from([...code, ...actions(BigInt(codeAddress + exitWord * 4))]);
}

/** Two `struct sigaction` as the kernel reads them: one that ignores, one that goes to `handler`. */
function actions(handler: bigint): number[] {
  return [SIG_IGN, 0n, 0n, 0n, handler, SA_RESTORER, handler, 0n].flatMap((value) =>
    littleEndian(value, 8),
  );
}

function elf(machine: number, alignment: bigint, code: Uint8Array): Uint8Array {
  const size = BigInt(headerBytes + code.length);
  const header = [
    ...[0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], // 64 bit, little endian, System V
    ...littleEndian(2n, 2), // executable
    ...littleEndian(BigInt(machine), 2),
    ...littleEndian(1n, 4),
    ...littleEndian(BigInt(codeAddress), 8), // entry
    ...littleEndian(64n, 8), // program headers start
    ...littleEndian(0n, 8), // no sections
    ...littleEndian(0n, 4),
    ...[64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0], // sizes and counts
    // The one program header: map the whole file, readable and executable.
    ...littleEndian(1n, 4),
    ...littleEndian(5n, 4),
    ...littleEndian(0n, 8),
    ...littleEndian(BigInt(base), 8),
    ...littleEndian(BigInt(base), 8),
    ...littleEndian(size, 8),
    ...littleEndian(size, 8),
    ...littleEndian(alignment, 8),
  ];
  return Uint8Array.from([...header, ...code]);
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}
