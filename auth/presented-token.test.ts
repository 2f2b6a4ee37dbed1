import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newToken, tokenId } from "./api-key-token.ts";
import { presentedToken } from "./presented-token.ts";

const header = fc.oneof(
  fc.string({ unit: CODE_POINT }),
  fc.array(fc.string({ unit: CODE_POINT })),
  fc.constant(undefined),
);

test("whatever the headers are, there is a token of our format or a problem that holds nothing of them", () => {
  fc.assert(
    fc.property(header, header, (authorization, apiKey) => {
      const { token, problem } = { problem: "", ...presentedToken({ authorization, "x-api-key": apiKey }) };
      if (token === undefined) expect(problem).toMatch(/^(the credential is not an API key|an API key is needed)/);
      else expect(tokenId(token)).toBeDefined();
    }),
  );
});

test("a token is found behind any scheme that may carry it, whatever the user", () => {
  fc.assert(
    fc.property(
      fc.string().filter((user) => !user.includes(":")),
      fc.constantFrom("Basic", "BASIC"),
      (user, scheme) => {
        const { token } = newToken();
        const authorization = `${scheme} ${Buffer.from(`${user}:${token}`).toString("base64")}`;
        expect(presentedToken({ authorization })).toEqual({ token });
        expect(presentedToken({ authorization: `Bearer  ${token} ` })).toEqual({ token });
      },
    ),
  );
});
