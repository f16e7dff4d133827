/**
 * ClickHouse's RowBinary, written value by value into one growing buffer. The form has no choices: the same values
 * always give the same bytes, and `SELECT … FORMAT RowBinary` gives them back.
 */

const initialBytes = 1024 * 1024;
/** No value but text is longer. */
const slack = 16;

export class RowBinaryWriter {
  #bytes = Buffer.allocUnsafe(initialBytes);
  #length = 0;

  /** What was written so far. The writer is done with then. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length + slack > this.#bytes.length) this.#grow(slack);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  uint16(value: number): void {
    this.byte(value & 0xff);
    this.byte(value >>> 8);
  }

  uint32(value: number): void {
    if (this.#length + slack > this.#bytes.length) this.#grow(slack);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** Between -2^53 and 2^53: for Int64, UInt64, and DateTime64(3), which is Int64 of milliseconds. */
  int64(value: number): void {
    if (this.#length + slack > this.#bytes.length) this.#grow(slack);
    const high = Math.floor(value / 4_294_967_296);
    this.#length = this.#bytes.writeUInt32LE(value - high * 4_294_967_296, this.#length);
    this.#length = this.#bytes.writeInt32LE(high, this.#length);
  }

  nullableInt64(value: number | null): void {
    this.bool(value === null);
    if (value !== null) this.int64(value);
  }

  nullableUint16(value: number | null): void {
    this.bool(value === null);
    if (value !== null) this.uint16(value);
  }

  nullableBool(value: boolean | null): void {
    this.bool(value === null);
    if (value !== null) this.bool(value);
  }

  /** LEB128: lengths of text and arrays. */
  length(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  /** Short ASCII, which most texts are, goes byte by byte: a call into the runtime would take longer. */
  text(value: string): void {
    if (value.length > 127 || !this.#shortAscii(value)) this.#anyText(value);
  }

  /** False, and nothing is written, if it is not ASCII. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    if (this.#length + length + slack > this.#bytes.length) this.#grow(length + slack);
    const bytes = this.#bytes;
    const start = this.#length;
    bytes[start] = length;
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 127) return false;
      bytes[start + 1 + index] = code;
    }
    this.#length = start + 1 + length;
    return true;
  }

  /** Lone surrogates, which no text decoded from mail has, become U+FFFD. */
  #anyText(value: string): void {
    const size = Buffer.byteLength(value);
    this.length(size);
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    this.#length += this.#bytes.write(value, this.#length);
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#bytes.length + by));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
