import type { Candidacy, Elected, PlaceClaim, PlaceGroup, SharedLimits } from "@sightline/model/shared-state.ts";
import type { RedisClient } from "../connection/make-client.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";

/** Of one call: Redis does nothing else meanwhile, about a millisecond. */
const MEMBERS_PER_CALL = 1_000;

/** Candidate, time to live; the known incumbent or nothing, and its time to live. */
const ELECT = `
local elected = redis.call('GET', KEYS[1])
if elected and elected ~= ARGV[1] then return { elected, redis.call('PTTL', KEYS[1]) } end
if elected or ARGV[3] == '' or ARGV[3] == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return { ARGV[1], tonumber(ARGV[2]) }
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return { ARGV[3], tonumber(ARGV[4]) }
`;

/**
 * Keys of sorted sets (member, when it was last claimed by Redis' clock), in each of which there must be room. Time to live, places
 * of each key, members. Those whose time is over go a thousand at a time. Answers with a 0 or 1 for each member.
 */
const CLAIM = `
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local ttl, first, taken = tonumber(ARGV[1]), #KEYS + 2, {}
for k, key in ipairs(KEYS) do
  local over = redis.call('ZRANGEBYSCORE', key, '-inf', now - ttl, 'LIMIT', 0, 1000)
  if #over > 0 then redis.call('ZREM', key, unpack(over)) end
  taken[k] = redis.call('ZCARD', key)
end
local answer = {}
for i = first, #ARGV do
  local room, new = true, {}
  for k, key in ipairs(KEYS) do
    new[k] = not redis.call('ZSCORE', key, ARGV[i])
    if new[k] and taken[k] >= tonumber(ARGV[k + 1]) then room = false end
  end
  if room then
    for k, key in ipairs(KEYS) do
      redis.call('ZADD', key, now, ARGV[i])
      if new[k] then taken[k] = taken[k] + 1 end
    end
  end
  answer[#answer + 1] = room and '1' or '0'
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
return table.concat(answer)
`;

/** Elections, places and counters that Redis keeps. They are lost with it; whoever asks brings along what it knows. */
export class RedisSharedLimits implements SharedLimits {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  elect(candidacies: readonly Candidacy[]): Promise<readonly Elected[]> {
    return this.#redis.run("electing", (client) =>
      Promise.all(
        candidacies.map(async ({ office, candidate, ttlMs, incumbent }) => {
          const known = incumbent && incumbent.ttlMs >= 1 ? [incumbent.name, Math.ceil(incumbent.ttlMs)] : ["", 0];
          const key = this.#key("elected", office);
          const [name, leftMs] = (await client.eval(ELECT, 1, key, candidate, Math.ceil(ttlMs), ...known)) as [string, number]; // biome-ignore format: one line
          return { name, ttlMs: leftMs };
        }),
      ),
    );
  }

  claim(claim: PlaceClaim): Promise<readonly (readonly boolean[])[]> {
    return this.#redis.run("claiming places", (client) =>
      Promise.all(
        claim.groups.map(async (group) => {
          const answers: Promise<string>[] = [];
          for (let from = 0; from < group.members.length; from += MEMBERS_PER_CALL) {
            answers.push(this.#claimSome(client, claim, group, from));
          }
          return Array.from((await Promise.all(answers)).join(""), (has) => has === "1");
        }),
      ),
    );
  }

  #claimSome(client: RedisClient, claim: PlaceClaim, group: PlaceGroup, from: number): Promise<string> {
    const { list, maxPlaces, maxPerGroup, ttlMs } = claim;
    const key = this.#key("places", list);
    // The same slot of a cluster for all keys of a list.
    const bounds = [
      { key, max: maxPlaces },
      { key: `${key}:${group.name}`, max: maxPerGroup },
    ].filter(({ max }) => max > 0);
    const keys = bounds.map(({ key }) => key);
    const members = group.members.slice(from, from + MEMBERS_PER_CALL);
    const args = [Math.ceil(ttlMs), ...bounds.map(({ max }) => max), ...members];
    return client.eval(CLAIM, keys.length, ...keys, ...args) as Promise<string>;
  }

  count(list: string, added: ReadonlyMap<string, number>, ttlMs: number): Promise<ReadonlyMap<string, number>> {
    const key = this.#key("counts", list);
    return this.#redis.run("counting", async (client) => {
      const counted = Array.from(added, async ([name, more]) => [name, await client.hincrby(key, name, more)] as const);
      const counts = await Promise.all(counted);
      await client.pexpire(key, Math.ceil(ttlMs));
      return new Map(counts);
    });
  }

  #key(kind: string, name: string): string {
    return `${this.#redis.config.prefix}:${kind}:{${name}}`;
  }
}
