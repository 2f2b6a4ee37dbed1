import { NotificationTemplateError } from "../templates/notification-templates.ts";

/** What `render` gives. What is wrong with its template is told with `what` before it. Throws `NotificationTemplateError`. */
export function rendered(what: string, render: () => string): string {
  try {
    return render();
  } catch (cause) {
    if (!(cause instanceof NotificationTemplateError)) throw cause;
    throw new NotificationTemplateError(`${what}: ${cause.message}`, { cause });
  }
}
