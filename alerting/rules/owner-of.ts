import { hashOf } from "./slots.ts";

/** Whose turn something is among some (rendezvous hashing): each has about as much, and one that goes leaves the others theirs. */
export function ownerOf(work: string, members: readonly string[]): string | undefined {
  let owner: string | undefined;
  let best = -1;
  for (const member of members) {
    const score = mixed(hashOf(`${work};${member}`));
    if (score < best || (score === best && member > (owner ?? ""))) continue;
    owner = member;
    best = score;
  }
  return owner;
}

/** The last step of MurmurHash3: all bits depend on all others. */
function mixed(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
