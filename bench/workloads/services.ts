/** Whose metrics and logs they are. */
export const SERVICES = [
  "checkout",
  "cart",
  "payments",
  "frontend",
  "catalogue",
  "shipping",
  "search",
  "reviews",
  "gateway",
  "email",
] as const;
