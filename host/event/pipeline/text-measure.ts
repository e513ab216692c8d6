/** Shannon entropy of a text in bits a character, to three decimals: 0 of one character repeated, about 3.7 of words, over 4.2 of base32 and base64. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  let length = 0;
  for (const character of text) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
    length++;
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / length) * Math.log2(count / length);
  return Math.round(bits * 1000) / 1000 + 0;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Base64 as text, each part between semicolons by itself, as Akamai writes its lists; undefined where one is none. */
export function decodedBase64(text: string): string | undefined {
  const parts = text.split(";").map((part) => part.replace(/\s/g, ""));
  if (!parts.every((part) => BASE64.test(part))) return undefined;
  return parts.map((part) => Buffer.from(part, "base64").toString("utf8")).join(";");
}
