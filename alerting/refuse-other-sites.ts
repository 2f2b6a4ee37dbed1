import { ForbiddenError } from "@sightline/model/errors.ts";

/** What of a request says that a page in a browser has made it. */
type FromBrowser = { readonly headers: { readonly origin?: string | undefined; readonly host?: string | undefined } };

/**
 * Without keys whoever reaches the server may change things, and a page of any site can make a browser that does so post what it
 * likes, as long as it needs no content type. Browsers say whose page it is. Throws `ForbiddenError`.
 */
export function refuseOtherSites({ headers: { origin, host } }: FromBrowser): void {
  if (origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new ForbiddenError("pages of other sites may not ask for that");
}
