const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Text lines as records with the line for their message; blank lines are none. */
export function textRecords(bytes: Uint8Array): Uint8Array {
  let out = "";
  for (const line of decoder.decode(bytes).split("\n")) {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    // An unpaired brace must stay text: the message is never taken for JSON unless it is one whole object.
    if (text.trim() !== "") out += `${JSON.stringify({ message: text })}\n`;
  }
  return encoder.encode(out);
}
