const RADIUS_KM = 6371.0088;
const RADIANS = Math.PI / 180;

/** Great-circle distance in kilometres between two points in decimal degrees: the host's twin of the kernel's distanceKm. */
export function distanceKm(latitude: number, longitude: number, otherLatitude: number, otherLongitude: number): number {
  const north = Math.sin(((otherLatitude - latitude) * RADIANS) / 2);
  const east = Math.sin(((otherLongitude - longitude) * RADIANS) / 2);
  const h = north * north + Math.cos(latitude * RADIANS) * Math.cos(otherLatitude * RADIANS) * east * east;
  return 2 * RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, Math.max(0, h))));
}
