import { displayFloat } from "@sightline/model/go-template/go-value.ts";

/** Seconds as people say them, `1h 2m 3s` (HumanizeDuration of prometheus/common/helpers/templates). */
export function humanizeSeconds(seconds: number): string {
  if (Number.isNaN(seconds)) return "NaN";
  if (!Number.isFinite(seconds)) return seconds > 0 ? "+Inf" : "-Inf";
  if (Math.abs(seconds) >= 1) return wholeUnits(seconds);
  if (seconds === 0) return "0s";
  let value = seconds;
  let prefix = "";
  for (const next of ["m", "u", "n", "p", "f", "a", "z", "y"]) {
    if (Math.abs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return `${fourDigits(value)}${prefix}s`;
}

function wholeUnits(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  const absolute = Math.abs(seconds);
  const whole = Math.trunc(absolute);
  const [s, m, h, d] = [
    whole % 60,
    Math.trunc(whole / 60) % 60,
    Math.trunc(whole / 3600) % 24,
    Math.trunc(whole / 86400),
  ];
  if (d !== 0) return `${sign}${d}d ${h}h ${m}m ${s}s`;
  if (h !== 0) return `${sign}${h}h ${m}m ${s}s`;
  if (m !== 0) return `${sign}${m}m ${s}s`;
  return `${sign}${fourDigits(absolute)}s`;
}

/** Go's `%.4g`, for values below a thousand. */
function fourDigits(value: number): string {
  return displayFloat(Number(value.toPrecision(4)));
}
