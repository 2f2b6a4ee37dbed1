type Replace = (text: string, change: (match: string) => string) => string;

/**
 * Patterns of personal data that come with the server. They run on JavaScript's own engine, which is faster here: every
 * repetition in them is bounded, and none is within another, so that they can't be made slow.
 */
export const PERSONAL_DATA = {
  email: (text, change) =>
    text.includes("@") ? text.replace(/[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, change) : text,
  ipv4: (text, change) =>
    text.replace(/(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])/g, (match) =>
      match.split(".").every((part) => Number(part) <= 255) ? change(match) : match,
    ),
  /** 13 to 19 digits, in groups or not, with a right check digit (ISO/IEC 7812-1). */
  credit_card: (text, change) =>
    text.replace(/(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g, (match) => (isLuhn(match) ? change(match) : match)),
  /** With a right check number (ISO 13616). */
  iban: (text, change) =>
    text.replace(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g, (match) => (isIban(match) ? change(match) : match)),
  jwt: (text, change) =>
    text.includes("eyJ") ? text.replace(/\beyJ[\w-]{5,4000}\.[\w-]{5,8000}\.[\w-]{0,2000}/g, change) : text,
  us_ssn: (text, change) => text.replace(/(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g, change),
} as const satisfies Readonly<Record<string, Replace>>;
export type PersonalData = keyof typeof PERSONAL_DATA;

function isLuhn(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isIban(text: string): boolean {
  const compact = text.replaceAll(" ", "");
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
