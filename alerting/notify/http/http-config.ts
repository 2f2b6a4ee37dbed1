import { z } from "zod";
import { canonicalHeader } from "../canonical-header.ts";
import { anything, flag, listOf, optionalSecret, optionalText, text, texts } from "../receiver-values.ts";
import { tlsConfig } from "./tls-config.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const secrets = listOf(
  optionalSecret.transform((value, context) => {
    if (value) return value;
    context.addIssue({ code: "custom", message: "a header has no empty value" });
    return z.NEVER;
  }),
);

const proxyFields = {
  proxy_url: optionalText,
  no_proxy: optionalText,
  proxy_from_environment: flag(),
  proxy_connect_header: z.record(z.string(), secrets).optional(),
};

type Refuse = (message: string) => void;

function checkProxy(proxy: z.output<z.ZodObject<typeof proxyFields>>, refuse: Refuse): void {
  if (proxy.proxy_url?.startsWith(":")) refuse(`parse ${JSON.stringify(proxy.proxy_url)}: missing protocol scheme`);
  if (proxy.proxy_connect_header && !proxy.proxy_from_environment && !proxy.proxy_url)
    refuse("if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured");
  if (proxy.proxy_from_environment && proxy.proxy_url)
    refuse("if proxy_from_environment is configured, proxy_url must not be configured");
  if (proxy.proxy_from_environment && proxy.no_proxy)
    refuse("if proxy_from_environment is configured, no_proxy must not be configured");
  if (!proxy.proxy_url && !proxy.proxy_from_environment && proxy.no_proxy)
    refuse("if no_proxy is configured, proxy_url must also be configured");
}

const basicAuth = z.strictObject({
  username: optionalText,
  username_file: optionalText,
  password: optionalSecret,
  password_file: optionalText,
});

const authorization = z.strictObject({
  type: text("Bearer").transform((type) => type.trim() || "Bearer"),
  credentials: optionalSecret,
  credentials_file: optionalText,
});

const oauth2 = z.strictObject({
  client_id: text(),
  client_secret: optionalSecret,
  client_secret_file: optionalText,
  client_certificate_key_id: optionalText,
  client_certificate_key: optionalSecret,
  client_certificate_key_file: optionalText,
  grant_type: optionalText,
  signature_algorithm: optionalText,
  iss: optionalText,
  audience: optionalText,
  claims: z.record(z.string(), anything).nullish(),
  scopes: listOf(text()),
  token_url: text(),
  endpoint_params: texts,
  tls_config: tlsConfig.optional(),
  ...proxyFields,
});

function checkOauth2(config: z.output<typeof oauth2>, refuse: Refuse): void {
  if (config.client_id === "") refuse("oauth2 client_id must be configured");
  if (config.token_url === "") refuse("oauth2 token_url must be configured");
  checkProxy(config, refuse);
  if (config.grant_type === JWT_BEARER) {
    if (config.client_certificate_key && config.client_certificate_key_file)
      refuse(
        "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must " +
          `be configured using grant-type=${JWT_BEARER}`,
      );
    if (config.signature_algorithm && !/^RS(256|384|512)$/.test(config.signature_algorithm))
      refuse("valid signature algorithms are RS256, RS384 and RS512");
  } else if (config.client_secret && config.client_secret_file) {
    refuse(
      "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using " +
        "grant-type=client_credentials",
    );
  }
}

/** Headers that say how the connection works, or that something else sets (prometheus/common/config/headers.go). */
const RESERVED_HEADERS = new Set(
  (
    "authorization host content-encoding content-length content-type user-agent connection keep-alive " +
    "proxy-authenticate proxy-authorization www-authenticate accept-encoding x-prometheus-remote-write-version " +
    "x-prometheus-remote-read-version x-prometheus-scrape-timeout-seconds x-amz-date x-amz-security-token " +
    "x-amz-content-sha256"
  ).split(" "),
);

const headers = z.record(z.string(), z.strictObject({ values: listOf(text()), secrets, files: listOf(text()) }));

function checkAuthentication(
  config: {
    basic_auth?: z.output<typeof basicAuth> | undefined;
    authorization?: z.output<typeof authorization> | undefined;
    oauth2?: z.output<typeof oauth2> | undefined;
    bearer_token?: unknown;
    bearer_token_file?: unknown;
  },
  refuse: Refuse,
): void {
  const hasBearer = Boolean(config.bearer_token ?? config.bearer_token_file);
  const { basic_auth: basic, authorization: given } = config;
  if (config.bearer_token && config.bearer_token_file)
    refuse("at most one of bearer_token & bearer_token_file must be configured");
  if ((basic ?? config.oauth2) && hasBearer)
    refuse("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
  if (basic?.username && basic.username_file)
    refuse("at most one of basic_auth username, username_file & username_ref must be configured");
  if (basic?.password && basic.password_file)
    refuse("at most one of basic_auth password, password_file & password_ref must be configured");
  if (given) {
    if (hasBearer) refuse("authorization is not compatible with bearer_token & bearer_token_file");
    if (given.credentials && given.credentials_file)
      refuse("at most one of authorization credentials & credentials_file must be configured");
    if (given.type.toLowerCase() === "basic")
      refuse('authorization type cannot be set to "basic", use "basic_auth" instead');
  }
  if ([basic, given, config.oauth2].filter(Boolean).length > 1)
    refuse("at most one of basic_auth, oauth2 & authorization must be configured");
  if (config.oauth2) checkOauth2(config.oauth2, refuse);
}

/**
 * `http_config` (HTTPClientConfig of prometheus/common/config), with its defaults and its words for what is wrong. The old
 * `bearer_token` becomes `authorization`.
 */
export const httpConfig = z
  .strictObject({
    basic_auth: basicAuth.optional(),
    authorization: authorization.optional(),
    oauth2: oauth2.optional(),
    bearer_token: optionalSecret,
    bearer_token_file: optionalText,
    tls_config: tlsConfig.optional(),
    follow_redirects: flag(true),
    enable_http2: flag(true),
    http_headers: headers.optional(),
    ...proxyFields,
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    checkAuthentication(config, refuse);
    checkProxy(config, refuse);
    for (const name of Object.keys(config.http_headers ?? {})) {
      if (RESERVED_HEADERS.has(name.toLowerCase()))
        refuse(`setting header ${JSON.stringify(canonicalHeader(name))} is not allowed`);
    }
  })
  .transform(({ bearer_token, bearer_token_file, ...config }) => {
    if (!bearer_token && !bearer_token_file) return config;
    const bearer = { type: "Bearer", credentials: bearer_token, credentials_file: bearer_token_file };
    return { ...config, authorization: bearer };
  });

export type HttpConfig = z.output<typeof httpConfig>;
export type OAuth2Config = NonNullable<HttpConfig["oauth2"]>;
export type ProxyConfig = z.output<z.ZodObject<typeof proxyFields>>;

export const DEFAULT_HTTP_CONFIG: HttpConfig = httpConfig.parse({});
export { JWT_BEARER };
