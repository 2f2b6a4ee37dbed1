import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { GlobalReceiverConfig } from "../notify/global-receiver-config.ts";
import type { Integration as IntegrationKind, NotifierContext } from "../notify/integration.ts";
import type { Notification } from "../notify/notifier.ts";
import { notificationData } from "../templates/notification-data.ts";
import { NotificationTemplateError, type NotificationTemplates } from "../templates/notification-templates.ts";
import type { AlertmanagerConfig } from "./config/alertmanager-config.ts";
import { assertNamesNoFiles, type ConfigFiles, loadTemplates } from "./config/config-files.ts";
import { parseSettings } from "./config/parse-settings.ts";
import type { IntegrationConfig } from "./config/receiver-config.ts";
import { labelMap } from "./labels.ts";
import type { Integration } from "./pipeline/integration.ts";
import type { BuiltReceivers, ReceiverBuilder } from "./receiver-builder.ts";

export type ConfiguredReceiversOptions = Omit<NotifierContext, "templates" | "configDir"> & {
  readonly kinds: ReadonlyMap<string, IntegrationKind>;
};

/** An entry of theirs may say nothing. */
const LIVES_OFF_GLOBALS: ReadonlySet<string> = new Set(["slack", "opsgenie", "wechat", "rocketchat"]);

/** Makes notifiers of receivers, each by the integration that its key names. */
export class ConfiguredReceivers implements ReceiverBuilder {
  readonly keys: ReadonlySet<string>;
  readonly kinds: readonly string[];
  readonly #options: ConfiguredReceiversOptions;

  constructor(options: ConfiguredReceiversOptions) {
    this.#options = options;
    this.keys = new Set(options.kinds.keys());
    this.kinds = [...options.kinds.values()].map(({ kind }) => kind);
  }

  async build(config: AlertmanagerConfig, files: ConfigFiles): Promise<BuiltReceivers> {
    const configDir = "dir" in files ? files.dir : undefined;
    if (configDir === undefined) assertNamesNoFiles(config);
    const templates = await this.#templates(config, files);
    const options = this.#options;
    const context: NotifierContext = {
      ...options,
      templates,
      configDir,
      // It may be known only when the server listens.
      get externalUrl() {
        return options.externalUrl;
      },
    };
    const integrations = new Map(
      config.receivers.map(({ name, integrations }) => [
        name,
        integrations.map((entry) => this.#integration(name, entry, config.global.receivers, context)),
      ]),
    );
    for (const { notifier } of [...integrations.values()].flat()) await notifier.check?.();
    return {
      integrations,
      routeLabels: (flush) => expandRouteLabels(flush, templates, options.externalUrl, options.logger),
    };
  }

  async #templates(config: AlertmanagerConfig, files: ConfigFiles): Promise<NotificationTemplates> {
    const { config: limits } = this.#options;
    const { max_template_chars: maxCharacters, max_template_steps: maxSteps, max_template_ms: maxCpuMs } = limits;
    try {
      return await loadTemplates(config.templates, files, { maxCharacters, maxSteps, maxCpuMs });
    } catch (cause) {
      if (!(cause instanceof NotificationTemplateError || cause instanceof InvalidInputError)) throw cause;
      throw new InvalidInputError(`failed to parse templates: ${cause.message}`, { cause });
    }
  }

  #integration(
    receiver: string,
    entry: IntegrationConfig,
    global: GlobalReceiverConfig,
    context: NotifierContext,
  ): Integration {
    const kind = this.#options.kinds.get(entry.key) as IntegrationKind;
    if (entry.settings === null && !LIVES_OFF_GLOBALS.has(kind.kind)) {
      throw new InvalidInputError(`missing ${kind.kind} config`);
    }
    const settings = parseSettings(kind.schema, entry.settings ?? {}, kind.kind, entry.place);
    try {
      const whole = kind.withGlobals(settings, global);
      const notifier = kind.create(whole, context);
      const preview = (notification: Notification) => renderTexts(whole, notification, context);
      return { receiver, name: `${kind.kind}[${entry.index}]`, notifier, preview };
    } catch (cause) {
      if (!(cause instanceof NotificationTemplateError)) throw cause;
      const { line } = entry.place([]);
      throw new InvalidInputError(`line ${line}: ${entry.key} of receiver ${receiver}: ${cause.message}`, {
        cause,
      });
    }
  }
}

/** All texts of an entry that are templates. Secrets are objects, and are not among them. */
function renderTexts(settings: unknown, notification: Notification, context: NotifierContext): Record<string, string> {
  if (typeof settings !== "object" || settings === null) return {};
  const data = notificationData({ ...notification, externalUrl: context.externalUrl });
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(settings)) {
    if (typeof text !== "string" || !text.includes("{{")) continue;
    try {
      texts[key] = context.templates.renderText(text, data, notification.nowMs);
    } catch (error) {
      texts[key] = `<error expanding template: ${(error as Error).message}>`;
    }
  }
  return texts;
}

/** A label that can't be expanded is left out, and that is said: what it means must not be guessed. */
function expandRouteLabels(
  { group, alerts, nowMs }: Parameters<BuiltReceivers["routeLabels"]>[0],
  templates: NotificationTemplates,
  externalUrl: string,
  logger: Logger,
) {
  const { labels, receiver } = group.route;
  if (labels.size === 0) return labelMap([]);
  const data = notificationData({
    receiver,
    reason: "unknown",
    groupLabels: group.labels,
    routeLabels: labelMap(labels),
    alerts,
    nowMs,
    externalUrl,
  });
  return labelMap(
    [...labels].flatMap(([name, text]) => {
      try {
        return [[name, templates.renderText(text, data, nowMs)] as const];
      } catch (error) {
        logger.error("a label of a route could not be expanded", { label: name, groupKey: group.key, error });
        return [];
      }
    }),
  );
}
