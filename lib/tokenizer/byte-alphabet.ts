// The 256 bytes as printable characters, so that a byte-level vocabulary is readable JSON.

/**
 * The character that stands for each byte in vocab.json and merges.txt: printable Latin-1 for itself, every
 * other byte for the next character from U+0100 on (`bytes_to_unicode` of GPT-2 and CLIP).
 */
export const byteCharacters: readonly string[] = (() => {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    return String.fromCharCode(printable ? byte : next++)
  })
})()

const byteOf = new Map(byteCharacters.map((character, byte) => [character, byte]))

/** The bytes that a token of the vocabulary spells; characters outside the alphabet are kept as UTF-8. */
export function tokenBytes(token: string): number[] {
  const bytes: number[] = []
  for (const character of token) {
    const byte = byteOf.get(character)
    if (byte === undefined) bytes.push(...new TextEncoder().encode(character))
    else bytes.push(byte)
  }
  return bytes
}
