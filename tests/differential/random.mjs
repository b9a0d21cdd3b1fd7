// random.mjs - numbers that a seed decides: the same world on every machine.

/** Choices from a seed (xorshift over 32 bits, twice mixed). */
export class Random {
  constructor(seed) {
    this.a = (seed ^ 0x9e3779b9) >>> 0 || 1;
    this.b = (Math.imul(seed, 0x85ebca6b) ^ 0xc2b2ae35) >>> 0 || 2;
    for (let i = 0; i < 8; i++) this.next();
  }

  next() {
    let t = this.a;
    this.a = this.b;
    t ^= t << 23;
    t ^= t >>> 17;
    t ^= this.b ^ (this.b >>> 26);
    this.b = t >>> 0;
    return (this.a + this.b) >>> 0;
  }

  /** 0 to n - 1. */
  below(n) { return this.next() % n; }
  /** True in `percent` of all cases. */
  chance(percent) { return this.below(100) < percent; }
  pick(list) { return list[this.below(list.length)]; }
  /** From `from` to `to`, both included. */
  between(from, to) { return from + this.below(to - from + 1); }
  /** Some of a list, each with the chance. */
  some(list, percent) { return list.filter(() => this.chance(percent)); }
}
