const MOST_NAME_CHARS = 120;

/** A name of its own for a file of each rule; told apart where a file system takes two for one. */
export class FileNames {
  readonly #taken = new Set<string>();
  readonly #extension: string;

  constructor(extension: string) {
    this.#extension = extension;
  }

  of(name: string): string {
    const plain = fileName(name);
    let path = `${plain}.${this.#extension}`;
    for (let number = 2; this.#taken.has(path.toLowerCase()); number++) path = `${plain}_${number}.${this.#extension}`;
    this.#taken.add(path.toLowerCase());
    return path;
  }
}

/** Blanks as `_`; whatever means something to a file system, here or on the one it is unpacked on, is one too. */
function fileName(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const plain = name.normalize("NFC").replaceAll(/[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff/\\:*?"<>|]/gu, "_").replace(/^\.+/, "_").slice(0, MOST_NAME_CHARS).toWellFormed().replace(/[. ]+$/, "_");
  return plain === "" || /^(?:con|prn|aux|nul|com\d|lpt\d)$/i.test(plain) ? `rule_${plain}` : plain;
}
