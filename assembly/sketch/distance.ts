const RADIUS_KM: f64 = 6371.0088;
const RADIANS: f64 = 0.017453292519943295;

/**
 * Great-circle distance in kilometres between two points in decimal degrees.
 *
 * Haversine on a sphere of the earth's mean radius: within 0.6 % of the ellipsoid, well inside GeoIP's own error.
 * Accepts longitudes beyond ±180. What is not finite gives NaN.
 */
export function distanceKm(latitude: f64, longitude: f64, otherLatitude: f64, otherLongitude: f64): f64 {
  const north = NativeMath.sin((otherLatitude - latitude) * RADIANS / 2);
  const east = NativeMath.sin((otherLongitude - longitude) * RADIANS / 2);
  const h = north * north + NativeMath.cos(latitude * RADIANS) * NativeMath.cos(otherLatitude * RADIANS) * east * east;
  // Rounding may lead beyond 1 for points on opposite sides.
  return 2 * RADIUS_KM * NativeMath.asin(sqrt<f64>(min<f64>(1, max<f64>(0, h))));
}

/** Distances of `count` pairs: f64 latitude, longitude, latitude, longitude each; f64 each to `out`. */
export function distancesKm(pairs: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const p = pairs + (<usize>i << 5);
    store<f64>(out + (<usize>i << 3), distanceKm(load<f64>(p), load<f64>(p, 8), load<f64>(p, 16), load<f64>(p, 24)));
  }
}
