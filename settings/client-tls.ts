import { z } from "zod";
import { readSettingFile } from "./setting-file.ts";

/** How connections to a server are encrypted: keys of every section that says how one is reached. */
export const clientTls = {
  tls: z
    .enum(["off", "require", "verify"])
    .default("off")
    .describe("require: encrypted, whoever answers. verify: the certificate must be good for the host."),
  tls_ca_file: z.string().default("").describe("Certificates to trust, as PEM. Empty: those that Node.js trusts."),
};

type ClientTls = { readonly tls: "off" | "require" | "verify"; readonly tls_ca_file: string };

/** For `tls.connect`; undefined: without TLS. Throws `InvalidInputError` that names `fileSetting` when its file can't be read. */
export function tlsOptions({ tls, tls_ca_file: path }: ClientTls, fileSetting: string) {
  if (tls === "off") return undefined;
  return { rejectUnauthorized: tls === "verify", ...(path !== "" && { ca: readSettingFile(path, fileSetting) }) };
}
