// The Mersenne Twister: the source of random bits of torch's CPU generator.

const size = 624
const shift = 397

/** Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), seeded by one 32-bit word as torch and C++ do. */
export class Mt19937 {
  readonly #state = new Uint32Array(size)
  #next = size

  constructor(seed: number) {
    const state = this.#state
    state[0] = seed
    for (let i = 1; i < size; i++) {
      const before = state[i - 1]!
      state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
    }
  }

  /** The next 32 random bits, as an unsigned integer. */
  next(): number {
    if (this.#next === size) this.#twist()
    let y = this.#state[this.#next++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  #twist(): void {
    const state = this.#state
    for (let i = 0; i < size; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff)
      state[i] = state[(i + shift) % size]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.#next = 0
  }
}
