/** For tests: `content` as the only field of a message, that of another and so on; `tags` from the inside out. */
export function nestedMessage(content: Uint8Array, tags: readonly number[]): Uint8Array {
  const heads: Buffer[] = [];
  let length = content.length;
  for (const tag of tags) {
    const head = Buffer.from([tag, ...varint(length)]);
    length += head.length;
    heads.push(head);
  }
  return Buffer.concat([...heads.reverse(), content]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}
