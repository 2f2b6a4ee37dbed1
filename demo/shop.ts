/** The simulated shop as data: which services there are, what they do when they are called, and whom they call. */
import type { Random } from "./random.ts";

export const SERVICES = [
  "frontend",
  "catalogue",
  "recommendations",
  "cart",
  "checkout",
  "payments",
  "shipping",
  "notifications",
] as const;
export type ServiceName = (typeof SERVICES)[number];

export type Values = Readonly<Record<string, string | number | boolean>>;
export type InstrumentName =
  | "shop.orders"
  | "shop.revenue"
  | "shop.payment.amount"
  | "shop.cart.additions"
  | "shop.emails";
/** `exponential` asks the SDK for an exponential histogram. */
export const INSTRUMENTS: Readonly<
  Record<InstrumentName, { kind: "counter" | "exponential"; unit: string; description: string }>
> = {
  "shop.orders": { kind: "counter", unit: "{order}", description: "Orders placed" },
  "shop.revenue": { kind: "counter", unit: "EUR", description: "Value of the orders placed" },
  "shop.payment.amount": { kind: "exponential", unit: "EUR", description: "Amounts charged" },
  "shop.cart.additions": { kind: "counter", unit: "{item}", description: "Items put into carts" },
  "shop.emails": { kind: "counter", unit: "{email}", description: "E-mails sent" },
};

export type Measurement = { readonly instrument: InstrumentName; readonly value: number; readonly attributes: Values };
export type Remark = { readonly level: "DEBUG" | "INFO" | "WARN"; readonly body: string; readonly attributes: Values };
/** What went on in one call, apart from time and calls: for its span, its log and its metrics. */
export type Work = {
  readonly attributes?: Values;
  readonly remarks?: readonly Remark[];
  readonly measurements?: readonly Measurement[];
};

export type Step =
  /** A call of another service. When an optional one fails, the caller gets by without. */
  | { readonly call: EndpointName; readonly optional?: boolean; readonly times?: number }
  | { readonly database: "postgresql" | "redis"; readonly statement: string; readonly medianMs: number }
  /** A message that another service takes from the queue a little later. */
  | { readonly publish: string; readonly to: EndpointName };

export type Endpoint = {
  readonly service: ServiceName;
  readonly method: string;
  readonly route: string;
  /** Time that the service itself needs, without its calls. */
  readonly medianMs: number;
  readonly errorRate: number;
  readonly steps: readonly Step[];
  readonly work?: (random: Random) => Work;
};

const PRODUCTS = ["espresso-machine", "grinder", "kettle", "scale", "filter-papers", "beans-ethiopia", "beans-peru"];
const product = (random: Random): Work => ({ attributes: { "product.id": random.pick(PRODUCTS) } });
const customer = (random: Random): Work => ({
  attributes: {
    "user.id": `u-${random.below(5_000)}`,
    "client.address": `203.0.113.${random.below(256)}`,
    "user_agent.original": random.pick(["Firefox/150.0", "Chrome/152.0", "Safari/20.1", "ShopApp/4.2 (iOS)"]),
  },
});

export const ENDPOINTS: Readonly<Record<EndpointName, Endpoint>> = {
  home: {
    service: "frontend",
    method: "GET",
    route: "/",
    medianMs: 6,
    errorRate: 0.001,
    steps: [{ call: "listProducts" }, { call: "recommend", optional: true }],
    work: customer,
  },
  productPage: {
    service: "frontend",
    method: "GET",
    route: "/product/{id}",
    medianMs: 5,
    errorRate: 0.001,
    steps: [{ call: "getProduct" }, { call: "recommend", optional: true }],
    work: customer,
  },
  viewCart: {
    service: "frontend",
    method: "GET",
    route: "/cart",
    medianMs: 4,
    errorRate: 0.001,
    steps: [{ call: "getCart" }],
    work: customer,
  },
  addToCart: {
    service: "frontend",
    method: "POST",
    route: "/cart",
    medianMs: 4,
    errorRate: 0.002,
    steps: [{ call: "getProduct" }, { call: "addItem" }],
    work: customer,
  },
  buy: {
    service: "frontend",
    method: "POST",
    route: "/checkout",
    medianMs: 8,
    errorRate: 0.002,
    steps: [{ call: "placeOrder" }],
    work: customer,
  },
  listProducts: {
    service: "catalogue",
    method: "GET",
    route: "/products",
    medianMs: 3,
    errorRate: 0.001,
    steps: [{ database: "postgresql", statement: "SELECT products", medianMs: 4 }],
  },
  getProduct: {
    service: "catalogue",
    method: "GET",
    route: "/products/{id}",
    medianMs: 2,
    errorRate: 0.001,
    steps: [{ database: "postgresql", statement: "SELECT products", medianMs: 1.5 }],
    work: product,
  },
  recommend: {
    service: "recommendations",
    method: "GET",
    route: "/recommendations",
    medianMs: 12,
    errorRate: 0.004,
    steps: [
      { database: "redis", statement: "MGET", medianMs: 0.6 },
      { call: "getProduct", times: 2 },
    ],
    work: (random) => ({
      remarks: random.chance(0.1)
        ? [{ level: "DEBUG", body: "no history of this customer, using the best sellers", attributes: {} }]
        : [],
    }),
  },
  getCart: {
    service: "cart",
    method: "GET",
    route: "/carts/{id}",
    medianMs: 1.5,
    errorRate: 0.001,
    steps: [{ database: "redis", statement: "HGETALL", medianMs: 0.5 }],
  },
  addItem: {
    service: "cart",
    method: "POST",
    route: "/carts/{id}/items",
    medianMs: 2,
    errorRate: 0.001,
    steps: [{ database: "redis", statement: "HSET", medianMs: 0.6 }],
    work: (random) => {
      const id = random.pick(PRODUCTS);
      return {
        attributes: { "product.id": id },
        measurements: [
          { instrument: "shop.cart.additions", value: 1 + random.below(3), attributes: { "product.id": id } },
        ],
      };
    },
  },
  emptyCart: {
    service: "cart",
    method: "DELETE",
    route: "/carts/{id}",
    medianMs: 1.5,
    errorRate: 0.001,
    steps: [{ database: "redis", statement: "DEL", medianMs: 0.4 }],
  },
  placeOrder: {
    service: "checkout",
    method: "POST",
    route: "/orders",
    medianMs: 10,
    errorRate: 0.004,
    steps: [
      { call: "getCart" },
      { call: "getProduct", times: 2 },
      { call: "quote" },
      { call: "charge" },
      { call: "ship" },
      { database: "postgresql", statement: "INSERT orders", medianMs: 6 },
      { call: "emptyCart", optional: true },
      { publish: "orders", to: "confirm" },
    ],
    work: (random) => {
      const amount = Math.round(random.latencyMs(60) * 100) / 100;
      const orderId = `o-${random.hex(10)}`;
      return {
        attributes: { "order.id": orderId, "order.amount": amount },
        remarks: [
          {
            level: "INFO",
            body: `order ${orderId} placed`,
            attributes: { "order.id": orderId, "order.amount": amount },
          },
        ],
        measurements: [
          { instrument: "shop.orders", value: 1, attributes: {} },
          { instrument: "shop.revenue", value: amount, attributes: {} },
        ],
      };
    },
  },
  charge: {
    service: "payments",
    method: "POST",
    route: "/charges",
    medianMs: 90,
    errorRate: 0.01,
    steps: [{ database: "postgresql", statement: "INSERT charges", medianMs: 3 }],
    work: (random) => {
      const provider = random.pick(["visa", "mastercard", "paypal", "sepa"]);
      const amount = Math.round(random.latencyMs(60) * 100) / 100;
      return {
        attributes: { "payment.provider": provider },
        remarks: random.chance(0.05)
          ? [
              {
                level: "WARN",
                body: `${provider} answered slowly, trying again`,
                attributes: { "payment.provider": provider },
              },
            ]
          : [],
        measurements: [
          { instrument: "shop.payment.amount", value: amount, attributes: { "payment.provider": provider } },
        ],
      };
    },
  },
  quote: {
    service: "shipping",
    method: "POST",
    route: "/quotes",
    medianMs: 5,
    errorRate: 0.002,
    steps: [],
  },
  ship: {
    service: "shipping",
    method: "POST",
    route: "/shipments",
    medianMs: 9,
    errorRate: 0.002,
    steps: [{ database: "postgresql", statement: "INSERT shipments", medianMs: 4 }],
    work: (random) => ({ attributes: { "shipment.carrier": random.pick(["post", "courier", "bike"]) } }),
  },
  confirm: {
    service: "notifications",
    method: "POST",
    route: "orders",
    medianMs: 25,
    errorRate: 0.003,
    steps: [],
    work: () => ({
      remarks: [{ level: "INFO", body: "confirmation sent", attributes: { template: "order-confirmation" } }],
      measurements: [{ instrument: "shop.emails", value: 1, attributes: { template: "order-confirmation" } }],
    }),
  },
};

export type EndpointName =
  | "home"
  | "productPage"
  | "viewCart"
  | "addToCart"
  | "buy"
  | "listProducts"
  | "getProduct"
  | "recommend"
  | "getCart"
  | "addItem"
  | "emptyCart"
  | "placeOrder"
  | "charge"
  | "quote"
  | "ship"
  | "confirm";

/** What customers do, and how often of a hundred times. */
export const VISITS: readonly (readonly [endpoint: EndpointName, weight: number])[] = [
  ["home", 30],
  ["productPage", 38],
  ["addToCart", 14],
  ["viewCart", 10],
  ["buy", 8],
];
