/**
 * Bytes that arrive in pieces, as one Buffer. One piece is kept as it is, without a copy. More are copied
 * together, so that a peer who sends byte by byte costs us bytes and not objects.
 */
const firstCapacity = 16 * 1024;

export class GrowingBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** The bytes are a piece that belongs to the socket: full, and not ours to write into. */
  #borrowed = true;

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#length === 0 && this.#borrowed) {
      this.#bytes = piece;
      this.#length = piece.length;
      return;
    }
    this.#reserve(this.#length + piece.length);
    piece.copy(this.#bytes, this.#length);
    this.#length += piece.length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(needed: number): void {
    if (!this.#borrowed && needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#length * 2, firstCapacity));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    this.#borrowed = false;
  }
}
