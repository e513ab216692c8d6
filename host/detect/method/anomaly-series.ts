/** Numbers of one group by bucket, in order of the buckets; those that had no event are left out and count as 0. */
export class BucketSeries {
  /** Bucket and value, one pair after the other. */
  #pairs: Float64Array;
  #from = 0;
  #to: number;

  constructor(pairs: Float64Array = new Float64Array(0)) {
    this.#pairs = pairs.length ? pairs : new Float64Array(4);
    this.#to = pairs.length / 2;
  }

  get from(): number {
    return this.#from;
  }

  get to(): number {
    return this.#to;
  }

  get sizeBytes(): number {
    return this.#pairs.byteLength;
  }

  bucketAt(place: number): number {
    return this.#pairs[place * 2]!;
  }

  valueAt(place: number): number {
    return this.#pairs[place * 2 + 1]!;
  }

  /** Place of the first bucket at or after this one. */
  search(bucket: number): number {
    let low = this.#from;
    let high = this.#to;
    // Nearly always it is asked for the newest.
    if (high > low && this.#pairs[high * 2 - 2]! < bucket) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pairs[middle * 2]! < bucket) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get(bucket: number): number {
    const place = this.search(bucket);
    return place < this.#to && this.#pairs[place * 2] === bucket ? this.#pairs[place * 2 + 1]! : 0;
  }

  set(bucket: number, value: number): void {
    let place = this.search(bucket);
    if (place < this.#to && this.#pairs[place * 2] === bucket) {
      this.#pairs[place * 2 + 1] = value;
      return;
    }
    if (this.#to * 2 === this.#pairs.length) place = this.#grow(place);
    this.#pairs.copyWithin(place * 2 + 2, place * 2, this.#to * 2);
    this.#pairs[place * 2] = bucket;
    this.#pairs[place * 2 + 1] = value;
    this.#to++;
  }

  dropBefore(bucket: number): void {
    this.#from = this.search(bucket);
  }

  pairs(): Float64Array {
    return this.#pairs.slice(this.#from * 2, this.#to * 2);
  }

  /** Room for one more; answers where a place has gone. */
  #grow(place: number): number {
    const length = this.#to - this.#from;
    // What was dropped at the front makes room first.
    const pairs = length * 4 < this.#pairs.length * 1.5 ? this.#pairs : new Float64Array(length * 4);
    const shift = this.#from;
    if (pairs === this.#pairs) pairs.copyWithin(0, shift * 2, this.#to * 2);
    else pairs.set(this.#pairs.subarray(shift * 2, this.#to * 2));
    this.#pairs = pairs;
    this.#from = 0;
    this.#to = length;
    return place - shift;
  }
}
