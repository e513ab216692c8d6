import { describe, expect, test } from "vitest";
import { distanceKm } from "../../host/engine/sketch/index.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "./room.ts";

const METRE = 0.001;
const HALF_ROUND = Math.PI * 6371.0088;

describe.each(variants)("distance, %s", (variant) => {
  const room = sketchRoom(variant, 32);
  const { kernel } = room;

  test.each([
    ["Berlin to Paris", 52.52, 13.405, 48.8566, 2.3522, 877.5],
    ["London to New York", 51.5074, -0.1278, 40.7128, -74.006, 5570.2],
    ["Sydney to Santiago", -33.8688, 151.2093, -33.4489, -70.6693, 11_340],
    ["same place", 10, 20, 10, 20, 0],
    ["once round", 10, 20, 10, 380, 0],
    ["pole to pole", 90, 0, -90, 77, HALF_ROUND],
    ["opposite sides", 0, 0, 0, 180, HALF_ROUND],
  ])("%s", (_, a, b, c, d, expected) => {
    expect(Math.abs(kernel.distanceKm(a, b, c, d) - expected)).toBeLessThan(Math.max(METRE, expected * 0.002));
  });

  test("is within a metre of the host's twin, far, near and opposite", () => {
    const stream = new Stream(1);
    const count = 4000;
    const pairs = room.arena.alloc(count * 32) >> 3;
    const out = room.arena.alloc(count * 8);
    const { f64 } = room.arena;
    for (let i = 0; i < count; i++) {
      const latitude = stream.unit() * 180 - 90;
      const longitude = stream.unit() * 720 - 360;
      const near = 10 ** -stream.below(12);
      const [otherLatitude, otherLongitude] = [
        [stream.unit() * 180 - 90, stream.unit() * 360 - 180],
        [latitude + near, longitude - near],
        [-latitude + near, longitude + 180],
      ][i % 3] as [number, number];
      f64.set([latitude, longitude, otherLatitude, otherLongitude], pairs + i * 4);
    }
    kernel.distancesKm(pairs << 3, count, out);
    for (let i = 0; i < count; i++) {
      const [a, b, c, d] = f64.subarray(pairs + i * 4, pairs + i * 4 + 4) as unknown as [number, number, number, number];
      expect(Math.abs(f64[(out >> 3) + i]! - distanceKm(a, b, c, d))).toBeLessThan(METRE);
      expect(f64[(out >> 3) + i]).toBe(kernel.distanceKm(a, b, c, d));
    }
  });

  test("is no number for what is none", () => {
    for (const value of [NaN, Infinity, -Infinity]) for (let place = 0; place < 4; place++) {
      const point = [1, 2, 3, 4].with(place, value) as [number, number, number, number];
      expect(kernel.distanceKm(...point)).toBeNaN();
      expect(distanceKm(...point)).toBeNaN();
    }
  });
});
