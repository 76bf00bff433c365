/** A map of at most `most` entries. Each `touch` makes its key the newest; the oldest go first. */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>();

  constructor(private readonly most: number, private readonly make: (key: K) => V) {}

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  /** The entry of `key`, made where there is none. */
  touch(key: K): V {
    const value = this.entries.get(key) ?? this.make(key);
    this.entries.delete(key);
    this.entries.set(key, value);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.most) break;
      this.entries.delete(oldest);
    }
    return value;
  }

  delete(key: K): void {
    this.entries.delete(key);
  }
}
