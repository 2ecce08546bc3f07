/** A regular file of an archive. */
export interface ArchivedFile {
  /** ASCII, without folders. */
  readonly name: string;
  readonly content: Buffer;
}

const BLOCK = 512;
const MAX_NAME = 100;
/** Octal digits of the file's mode: only its owner reads it until it is in its place. */
const MODE = "400";

/**
 * A tar archive of regular files (POSIX.1-1988, ustar), of root. It is written here, because the `tar` of operators
 * differs: on macOS it adds files of its own, and everywhere the operator's user id, which root in a container would
 * restore. tar-stream, the known library, depends on native code since 3.2.
 */
export function tarArchive(files: readonly ArchivedFile[]): Buffer {
  // Two empty blocks end it.
  return Buffer.concat([...files.flatMap(archived), Buffer.alloc(2 * BLOCK)]);
}

function archived({ name, content }: ArchivedFile): Buffer[] {
  if (Buffer.byteLength(name) > MAX_NAME) throw new Error(`the name of a file is too long for an archive: ${name}`);
  const header = Buffer.alloc(BLOCK);
  const field = (offset: number, text: string): number => header.write(text, offset, "latin1");
  const number = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`;
  field(0, name);
  field(100, `${MODE.padStart(7, "0")}\0`);
  // User and group: root.
  field(108, number(0, 8));
  field(116, number(0, 8));
  field(124, number(content.length, 12));
  // The time of its last change: unknown.
  field(136, number(0, 12));
  // The checksum counts itself as spaces.
  field(148, " ".repeat(8));
  // A regular file.
  field(156, "0");
  field(257, "ustar\0" + "00");
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return [header, content, padding];
}
