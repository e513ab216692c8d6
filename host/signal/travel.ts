import type { Travel, TravelStop } from "../detect/method/method.ts";
import type { Json, LogEvent } from "../event/event.ts";
import { valuesAt } from "../query/values.ts";

const HOUR_MS = 3_600_000;
const geoip = ["network", "client", "geoip"];

/**
 * What an impossible travel signal says of its latest way, as the attribute `impossible_travel`: two locations in order of time
 * (degrees, ms since epoch, names as far as the events are still held), the distance in whole km, and the speed in whole km/h,
 * which is left out where no time passed.
 */
export function travelAttributes({ first, second, distanceKm }: Travel, eventOf: (slot: number) => LogEvent | undefined): Json {
  const hours = (second.timeMs - first.timeMs) / HOUR_MS;
  return {
    triggering_locations: {
      first_location: locationOf(first, eventOf(first.slot)), second_location: locationOf(second, eventOf(second.slot)),
      distance_km: Math.round(distanceKm), ...(hours > 0 ? { speed_kmh: Math.round(distanceKm / hours) } : {}),
    },
  };
}

function locationOf({ timeMs, latitude, longitude }: TravelStop, event: LogEvent | undefined): Json {
  const told = (name: string, ...paths: string[][]): { [name: string]: Json } => {
    const [value] = paths.flatMap((path) => valuesAt(event?.attributes, path));
    return value === undefined ? {} : { [name]: value };
  };
  return {
    ...told("city", [...geoip, "city", "name"]), ...told("country", [...geoip, "country", "name"], [...geoip, "country", "iso_code"]),
    timestamp: timeMs, ...told("ip", ["network", "client", "ip"]), lat: latitude, lon: longitude,
  };
}
