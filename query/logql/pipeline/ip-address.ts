/** An address as a number; those of different versions are never equal. */
export type IpAddress = { readonly bits: 32 | 128; readonly value: bigint };
/** Both ends included. */
export type IpRange = { readonly bits: 32 | 128; readonly from: bigint; readonly to: bigint };

const DOT = 0x2e;
const COLON = 0x3a;
/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const MAX_ADDRESS_LENGTH = 45;

/** Undefined when the text is no address. As Go's netip.ParseAddr, without zones. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined;
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): IpAddress | undefined {
  const value = ipv4Number(text);
  return value === undefined ? undefined : { bits: 32, value: BigInt(value) };
}

/** Four numbers up to 255 without leading zeros. */
function ipv4Number(text: string): number | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined;
  let value = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code === DOT) {
      if (digits === 0 || ++dots > 4) return undefined;
      value = value * 256 + part;
      part = 0;
      digits = 0;
    } else {
      if (code < 0x30 || code > 0x39 || (digits > 0 && part === 0)) return undefined;
      part = part * 10 + code - 0x30;
      if (part > 255) return undefined;
      digits++;
    }
  }
  return dots === 4 ? value : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const plain = withoutDottedTail(text);
  if (plain === undefined) return undefined;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const groups = tail ? [...head, ...new Array<string>(missing).fill("0"), ...tail] : head;
  if (!groups.every((group) => /^[\da-fA-F]{1,4}$/.test(group))) return undefined;
  return { bits: 128, value: groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) };
}

/** `::ffff:1.2.3.4` as `::ffff:102:304`. */
function withoutDottedTail(text: string): string | undefined {
  const lastColon = text.lastIndexOf(":");
  const tail = text.slice(lastColon + 1);
  if (!tail.includes(".")) return text;
  const ipv4 = parseIpv4(tail);
  if (!ipv4) return undefined;
  return `${text.slice(0, lastColon + 1)}${(ipv4.value >> 16n).toString(16)}:${(ipv4.value & 0xffffn).toString(16)}`;
}

/** `1.2.3.4`, `10.0.0.0/8` or `1.2.3.4-1.2.3.9`, also for IPv6; undefined when it is none of them. */
export function parseIpRange(text: string): IpRange | undefined {
  const single = parseIp(text);
  if (single) return { bits: single.bits, from: single.value, to: single.value };
  const network = /^(.*)\/(\d{1,3})$/.exec(text);
  if (network) return parseNetwork(network[1] as string, Number(network[2]));
  const dash = text.indexOf("-");
  const from = parseIp(text.slice(0, Math.max(dash, 0)).trim());
  const to = parseIp(text.slice(dash + 1).trim());
  if (!from || !to || from.bits !== to.bits || from.value > to.value) return undefined;
  return { bits: from.bits, from: from.value, to: to.value };
}

function parseNetwork(address: string, prefix: number): IpRange | undefined {
  const ip = parseIp(address);
  if (!ip || prefix > ip.bits) return undefined;
  const hostBits = BigInt(ip.bits - prefix);
  const from = (ip.value >> hostBits) << hostBits;
  return { bits: ip.bits, from, to: from | ((1n << hostBits) - 1n) };
}

const CANDIDATE_V4 = /[0-9.]+/y;
const CANDIDATE_V6 = /[0-9a-fA-F:.]+/y;

/** Some address in the text belongs to the range. Addresses are looked for as Loki does (pkg/logql/log/ip.go). */
export function containsIp(text: string, range: IpRange): boolean {
  for (let at = 0; at < text.length; at++) {
    if (!mayBegin(text.charCodeAt(at))) continue;
    const candidate = candidateAt(text, at);
    if (candidate === undefined) continue;
    if (isIn(range, candidate)) return true;
    at += candidate.length;
  }
  return false;
}

/** Most addresses are IPv4: those are compared as numbers. */
function isIn(range: IpRange, candidate: string): boolean {
  if (!candidate.includes(":")) {
    const value = range.bits === 32 ? ipv4Number(candidate) : undefined;
    return value !== undefined && value >= Number(range.from) && value <= Number(range.to);
  }
  const ip = range.bits === 128 ? parseIp(candidate) : undefined;
  return ip !== undefined && ip.value >= range.from && ip.value <= range.to;
}

const BEGINNINGS = new Uint8Array(128);
for (const char of "0123456789abcdefABCDEF:") BEGINNINGS[char.charCodeAt(0)] = 1;

function mayBegin(code: number): boolean {
  return BEGINNINGS[code] === 1;
}

/** A digit with a dot among the three characters behind it. */
function mayBeV4(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x30 || code > 0x39 || at + 3 >= text.length) return false;
  return text.charCodeAt(at + 1) === DOT || text.charCodeAt(at + 2) === DOT || text.charCodeAt(at + 3) === DOT;
}

/** Up to four hexadecimal digits with a colon behind, or two colons with one. */
function mayBeV6(text: string, at: number): boolean {
  if (text.charCodeAt(at) === COLON) return text.charCodeAt(at + 1) === COLON && isHexDigit(text.charCodeAt(at + 2));
  for (let i = at + 1; i <= at + 4; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) return true;
    if (!isHexDigit(code)) return false;
  }
  return false;
}

function isHexDigit(code: number): boolean {
  return code !== COLON && BEGINNINGS[code] === 1;
}

function candidateAt(text: string, at: number): string | undefined {
  if (mayBeV4(text, at)) {
    CANDIDATE_V4.lastIndex = at;
    return CANDIDATE_V4.exec(text)?.[0];
  }
  if (!mayBeV6(text, at)) return undefined;
  CANDIDATE_V6.lastIndex = at;
  return CANDIDATE_V6.exec(text)?.[0];
}
