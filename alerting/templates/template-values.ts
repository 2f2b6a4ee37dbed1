import { UTC, ZERO_TIME } from "@sightline/model/go-template/go-time.ts";
import {
  GoList,
  GoMap,
  GoStruct,
  GoTimeValue,
  type GoType,
  type GoValue,
  type ValueMethod,
} from "@sightline/model/go-template/go-value.ts";
import type { LabelMap } from "../alert.ts";
import { type AlertData, type NotificationData, sortedPairs } from "./notification-data.ts";

type Methods = ReadonlyMap<string, ValueMethod>;

function method(call: (receiver: GoValue) => GoValue): ValueMethod {
  return { parameters: [], call };
}

const STRING_SLICE: GoType = { name: "[]string" };
const STRINGS: GoType = {
  name: "template.Strings",
  methods: new Map<string, ValueMethod>([
    [
      "Join",
      { parameters: ["string"], call: (list, [separator]) => (list as readonly string[]).join(separator as string) },
    ],
  ]),
};

const PAIR: GoType = { name: "template.Pair" };
const PAIRS: GoType = {
  name: "template.Pairs",
  get methods(): Methods {
    return PAIRS_METHODS;
  },
};
const KV: GoType = {
  name: "template.KV",
  get methods(): Methods {
    return KV_METHODS;
  },
};
const ALERT: GoType = { name: "template.Alert" };
const ALERT_SLICE: GoType = { name: "[]template.Alert" };
const ALERTS: GoType = {
  name: "template.Alerts",
  methods: new Map([
    ["Firing", method((alerts) => withStatus(alerts, "firing"))],
    ["Resolved", method((alerts) => withStatus(alerts, "resolved"))],
  ]),
};
const DATA: GoType = { name: "*template.Data" };

function withStatus(alerts: GoValue, status: string): GoList {
  const chosen = (alerts as readonly GoStruct[]).filter((alert) => alert.fields.get("Status") === status);
  return new GoList(ALERT_SLICE, chosen);
}

function pairs(map: GoValue): GoList {
  const list = sortedPairs(Object.fromEntries((map as GoMap).entries) as LabelMap).map(
    ([name, value]) =>
      new GoStruct(
        PAIR,
        new Map([
          ["Name", name],
          ["Value", value],
        ]),
      ),
  );
  return new GoList(PAIRS, list);
}

function parts(list: GoValue, field: string): GoList {
  return new GoList(
    STRINGS,
    (list as readonly GoStruct[]).map((pair) => pair.fields.get(field) as string),
  );
}

const PAIRS_METHODS: Methods = new Map([
  ["Names", method((list) => parts(list, "Name"))],
  ["Values", method((list) => parts(list, "Value"))],
  [
    "String",
    method((list) =>
      (list as readonly GoStruct[])
        .map(({ fields }) => `${fields.get("Name") as string}=${fields.get("Value") as string}`)
        .join(", "),
    ),
  ],
]);

const KV_METHODS: Methods = new Map<string, ValueMethod>([
  ["SortedPairs", method(pairs)],
  ["Names", method((map) => parts(pairs(map), "Name"))],
  ["Values", method((map) => parts(pairs(map), "Value"))],
  ["String", method((map) => PAIRS_METHODS.get("String")?.call(pairs(map), []) as string)],
  [
    "Remove",
    {
      parameters: ["strings"],
      call: (map, [names]) => {
        const removed = new Set(names as readonly string[]);
        return new GoMap(new Map([...(map as GoMap).entries].filter(([name]) => !removed.has(name))), false, KV);
      },
    },
  ],
]);

export function stringSlice(values: readonly GoValue[]): GoList {
  return new GoList(STRING_SLICE, values);
}

function kv(map: LabelMap): GoMap {
  return new GoMap(new Map(Object.entries(map)), false, KV);
}

function time(atMs: number | undefined): GoTimeValue {
  return new GoTimeValue(atMs === undefined ? ZERO_TIME : { ns: BigInt(Math.round(atMs)) * 1_000_000n, zone: UTC });
}

const ALERT_FIELDS: ReadonlyMap<string, (alert: AlertData) => GoValue> = new Map<string, (alert: AlertData) => GoValue>(
  [
    ["Status", ({ status }) => status],
    ["Labels", ({ labels }) => kv(labels)],
    ["Annotations", ({ annotations }) => kv(annotations)],
    ["StartsAt", ({ startsAtMs }) => time(startsAtMs)],
    ["EndsAt", ({ endsAtMs }) => time(endsAtMs)],
    ["GeneratorURL", ({ generatorUrl }) => generatorUrl],
    ["Fingerprint", ({ fingerprint }) => fingerprint],
  ],
);

/** Fields of an alert, made when they are asked for: of many alerts most texts want nothing but their number. */
class AlertFields extends Map<string, GoValue> {
  readonly #alert: AlertData;

  constructor(alert: AlertData) {
    super();
    this.#alert = alert;
  }

  override get(name: string): GoValue | undefined {
    return ALERT_FIELDS.get(name)?.(this.#alert);
  }
  override has(name: string): boolean {
    return ALERT_FIELDS.has(name);
  }
  override get size(): number {
    return ALERT_FIELDS.size;
  }
  override *entries(): MapIterator<[string, GoValue]> {
    for (const [name, read] of ALERT_FIELDS) yield [name, read(this.#alert)];
  }
  override *values(): MapIterator<GoValue> {
    for (const [, value] of this.entries()) yield value;
  }
  override keys(): MapIterator<string> {
    return ALERT_FIELDS.keys();
  }
  override [Symbol.iterator](): MapIterator<[string, GoValue]> {
    return this.entries();
  }
}

function alertValue(alert: AlertData): GoStruct {
  return new GoStruct(ALERT, new AlertFields(alert));
}

/** `.` of notification templates. */
export function dataValue(data: NotificationData): GoStruct {
  return new GoStruct(
    DATA,
    new Map<string, GoValue>([
      ["Receiver", data.receiver],
      ["Status", data.status],
      ["Alerts", new GoList(ALERTS, data.alerts.map(alertValue))],
      ["NotificationReason", data.notificationReason],
      ["GroupLabels", kv(data.groupLabels)],
      ["CommonLabels", kv(data.commonLabels)],
      ["CommonAnnotations", kv(data.commonAnnotations)],
      ["RouteLabels", kv(data.routeLabels)],
      ["ExternalURL", data.externalUrl],
    ]),
  );
}
