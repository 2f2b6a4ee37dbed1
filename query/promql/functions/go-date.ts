/** Parts of a moment in UTC, for years far beyond those of JavaScript's Date. */
export type GoDate = {
  readonly year: number;
  readonly month: number;
  readonly dayOfMonth: number;
  /** 0 is Sunday. */
  readonly dayOfWeek: number;
  readonly dayOfYear: number;
  readonly daysInMonth: number;
  readonly hour: number;
  readonly minute: number;
};

const DAY_SECONDS = 86_400;
const ERA_DAYS = 146_097;
const TWO_TO_63 = 2 ** 63;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * What Go makes of `time.Unix(int64(seconds), 0).UTC()`. NaN and what no int64 holds become the smallest of them, which
 * time.Time takes for the largest moment it knows.
 */
export function goDate(seconds: number): GoDate {
  const { days, secondOfDay } = splitDays(seconds);
  // Years that begin in March have the leap day at their end; 400 of them are an era, which always has the same days.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / ERA_DAYS);
  const dayOfEra = shifted - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfMarchYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfMarchYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const dayOfMonth = dayOfMarchYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const yearInEra = yearOfEra + (month <= 2 ? 1 : 0);
  const isLeap = yearInEra % 4 === 0 && (yearInEra % 100 !== 0 || yearInEra % 400 === 0);
  const daysOf = (index: number) => (MONTH_DAYS[index] as number) + (index === 1 && isLeap ? 1 : 0);
  let dayOfYear = dayOfMonth;
  for (let index = 0; index < month - 1; index++) dayOfYear += daysOf(index);
  return {
    year: era * 400 + yearInEra,
    month,
    dayOfMonth,
    dayOfWeek: (((days + 4) % 7) + 7) % 7,
    dayOfYear,
    daysInMonth: daysOf(month - 1),
    hour: Math.floor(secondOfDay / 3_600),
    minute: Math.floor((secondOfDay % 3_600) / 60),
  };
}

function splitDays(seconds: number): { days: number; secondOfDay: number } {
  if (Math.abs(seconds) <= Number.MAX_SAFE_INTEGER) {
    const whole = Math.trunc(seconds);
    const days = Math.floor(whole / DAY_SECONDS);
    return { days, secondOfDay: whole - days * DAY_SECONDS };
  }
  const isIn64Bits = seconds > -TWO_TO_63 && seconds < TWO_TO_63;
  const whole = isIn64Bits ? BigInt(seconds) : 1n << 63n;
  const perDay = BigInt(DAY_SECONDS);
  const secondOfDay = ((whole % perDay) + perDay) % perDay;
  return { days: Number((whole - secondOfDay) / perDay), secondOfDay: Number(secondOfDay) };
}
