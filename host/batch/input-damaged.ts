/** Packed or framed bytes that are not what they say they are; what came before them has been read. */
export class DamagedInputError extends Error {
  override readonly name = "DamagedInputError";
}
