import type { ConfigReader } from "./config-reader.ts";

/** Database files of places and of networks, in the order they are looked in. They are read again when they change. */
export function geoipFilesOf(settings: ConfigReader, path: (text: string) => string): readonly string[] {
  const files = [...settings.texts("city"), ...settings.texts("asn")];
  return [...new Set(files.map(path))];
}
