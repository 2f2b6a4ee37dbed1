/** What answers to a client run through differs with its requests. */
export type Client = {
  readonly headers: Readonly<Record<string, string>>;
  /** Parameters come as a form where the API takes one. */
  readonly posts: boolean;
  /** Of seconds in times. */
  readonly decimals: number;
};

/**
 * As many as V8 tells apart before it makes code for all there can be: what it compiled for the headers of one client is
 * thrown away at the first request of another.
 */
const CLIENTS: readonly Client[] = [
  { headers: {}, posts: false, decimals: 0 },
  // Grafana
  { headers: { "user-agent": "Grafana/13.0.0", "accept-encoding": "gzip" }, posts: true, decimals: 3 },
  // curl
  { headers: { "user-agent": "curl/8.14.1", accept: "*/*" }, posts: false, decimals: 3 },
  // A browser
  {
    headers: {
      "user-agent": "Mozilla/5.0",
      accept: "application/json",
      "accept-language": "en",
      "accept-encoding": "gzip, deflate, br",
      "cache-control": "max-age=0",
    },
    posts: false,
    decimals: 0,
  },
  // Clients written in Go
  { headers: { "user-agent": "Go-http-client/1.1", accept: "application/json" }, posts: true, decimals: 0 },
];

/** One after the other, so that each has its turn. */
export function clientOf(turn: number): Client {
  return CLIENTS[turn % CLIENTS.length] as Client;
}
