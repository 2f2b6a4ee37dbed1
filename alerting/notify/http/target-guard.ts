import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import { BlockList, isIP } from "node:net";
import { InvalidInputError } from "@sightline/model/errors.ts";

/** The address may not be contacted; trying again will not help. */
export class RefusedTargetError extends Error {
  override readonly name = "RefusedTargetError";
}

export type TargetGuardOptions = {
  /** Loopback, and networks that are not routed on the internet. */
  readonly allowPrivateTargets: boolean;
  /** Names of hosts (`hooks.example.com`, `*.example.com`), addresses and networks that may be contacted anyhow. */
  readonly allowedHosts: readonly string[];
};

type Resolve = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Where machines of clouds hand out credentials, and what is no target at all: never without being named. */
const NEVER = networks([
  "169.254.0.0/16",
  "fe80::/10",
  "fd00:ec2::254/128",
  "100.100.100.200/32",
  "0.0.0.0/8",
  "::/128",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "ff00::/8",
]);
/** Loopback, and IANA's registries of special-purpose addresses, where they are not globally reachable. */
const PRIVATE = networks([
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "::1/128",
  "fc00::/7",
  "2001:db8::/32",
  "64:ff9b:1::/48",
  "100::/64",
]);

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const network of list) addNetwork(blocks, network);
  return blocks;
}

function addNetwork(blocks: BlockList, network: string): void {
  const [address = "", bits] = network.split("/");
  const version = isIP(address);
  const family = version === 6 ? "ipv6" : "ipv4";
  const most = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most)
    throw new InvalidInputError(`alerting.notify.allowed_hosts: ${JSON.stringify(network)} is no network`);
  blocks.addSubnet(address, prefix, family);
}

/** The IPv4 address in one of IPv6 that stands for it: mapped, compatible, NAT64 and 6to4 ones. */
function embeddedIpv4(address: string): string | undefined {
  const { hostname } = new URL(`http://[${address.split("%")[0]}]`);
  const words = expand(hostname.slice(1, -1));
  const ipv4 = (high: number, low: number) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0] = words;
  const isZeroTo4 = (w0 | w1 | w2 | w3 | w4) === 0;
  if (isZeroTo4 && (w5 === 0xffff || (w5 === 0 && (w6 !== 0 || w7 > 1)))) return ipv4(w6, w7);
  if (w0 === 0x64 && w1 === 0xff9b && (w2 | w3 | w4 | w5) === 0) return ipv4(w6, w7);
  return w0 === 0x2002 ? ipv4(w1, w2) : undefined;
}

/** The eight words of an address that is written as URLs have it. */
function expand(address: string): number[] {
  const [left = "", right] = address.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const before = words(left);
  if (right === undefined) return before;
  const after = words(right);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/**
 * Says which hosts notifications may be sent to, so that whoever may write receivers can't reach what only this machine
 * can (server-side request forgery). It looks at the addresses that are then connected to, whatever a name means later.
 */
export class TargetGuard {
  readonly #allowPrivateTargets: boolean;
  readonly #allowedNames = new Set<string>();
  readonly #allowedSuffixes: string[] = [];
  readonly #allowedNetworks = new BlockList();
  readonly #resolve: Resolve;

  /** Throws `InvalidInputError` for a network that is none. `resolve` stands in for the DNS. */
  constructor({ allowPrivateTargets, allowedHosts }: TargetGuardOptions, resolve: Resolve = dnsLookup) {
    this.#allowPrivateTargets = allowPrivateTargets;
    this.#resolve = resolve;
    for (const host of allowedHosts) {
      if (host.startsWith("*.")) this.#allowedSuffixes.push(host.slice(1).toLowerCase());
      else if (host.includes("/") || isIP(host) !== 0) addNetwork(this.#allowedNetworks, host);
      else this.#allowedNames.add(host.toLowerCase());
    }
  }

  /** Throws {@link RefusedTargetError} if a host written as an address may not be contacted; names are seen in `lookup`. */
  checkHost(hostname: string): void {
    const host = hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && !this.#isAllowedName(host)) this.#check(host, host);
  }

  /** Resolves a name, if it resolves here, and throws {@link RefusedTargetError} as a connection to it would. */
  async checkName(hostname: string): Promise<void> {
    this.checkHost(hostname);
    if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return;
    await new Promise<void>((resolve, reject) => {
      this.lookup(hostname, { all: true }, (error) =>
        error instanceof RefusedTargetError ? reject(error) : resolve(),
      );
    });
  }

  /** In place of `dns.lookup` in connections: fails if any address of the name is refused. */
  readonly lookup = (
    hostname: string,
    options: { all?: boolean | undefined; family?: unknown; hints?: number | undefined },
    done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    const family = options.family === 4 || options.family === 6 ? options.family : 0;
    this.#resolve(
      hostname,
      { family, all: true, ...(options.hints ? { hints: options.hints } : {}) },
      (error, found) => {
        if (error) return done(error, "");
        try {
          if (!this.#isAllowedName(hostname)) for (const { address } of found) this.#check(address, hostname);
        } catch (refusal) {
          return done(refusal as Error, "");
        }
        const [first] = found;
        if (!first) return done(Object.assign(new Error(`${hostname} has no address`), { code: "ENOTFOUND" }), "");
        if (options.all) done(null, found);
        else done(null, first.address, first.family);
      },
    );
  };

  #isAllowedName(host: string): boolean {
    const name = host.toLowerCase().replace(/\.$/, "");
    return this.#allowedNames.has(name) || this.#allowedSuffixes.some((suffix) => name.endsWith(suffix));
  }

  #check(address: string, host: string): void {
    const plain = address.split("%")[0] as string;
    const meant = (isIP(plain) === 6 ? embeddedIpv4(plain) : undefined) ?? plain;
    const family = isIP(meant) === 6 ? "ipv6" : "ipv4";
    if (this.#allowedNetworks.check(meant, family)) return;
    const shown = host === address ? address : `${host} (${address})`;
    if (NEVER.check(meant, family))
      throw new RefusedTargetError(`${shown} is refused as a target; alerting.notify.allowed_hosts can allow it`);
    if (!this.#allowPrivateTargets && PRIVATE.check(meant, family))
      throw new RefusedTargetError(
        `${shown} is in a private network; alerting.notify.allow_private_targets or allowed_hosts can allow it`,
      );
  }
}
