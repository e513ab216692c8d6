/** Number i of a stream that a seed begins (splitmix64): all constants of the sketches come from it. */
// @ts-ignore: decorator
@inline
export function drawn(seed: u64, i: u64): u64 {
  let z = seed + (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** Spreads a hash once more, so that sketches with different seeds err independently. */
// @ts-ignore: decorator
@inline
export function spread(hash: u64, seed: u64): u64 {
  return drawn(hash ^ seed, 0);
}
