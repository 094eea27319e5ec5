// Numbers, times and points as a reader expects them; pure.

export function clock(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100));
  const minutes = Math.floor(tenths / 600);
  const seconds = Math.floor((tenths % 600) / 10);
  return `${minutes}:${String(seconds).padStart(2, "0")}.${tenths % 10}`;
}

export function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor((whole % 3600) / 60)).padStart(hours ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest}` : rest;
}

export function oneDecimal(value: number): string {
  return value.toFixed(1);
}

/** A decimal string with a true minus sign; zero stays without one. */
export function points(value: string): string {
  if (/^-?0(\.0+)?$/.test(value)) return "0";
  return value.startsWith("-") ? `−${value.slice(1)}` : `+${value}`;
}

export function isZero(value: string): boolean {
  return points(value) === "0";
}

export function moment(at: string, language: string, timezone: string, parts: "time" | "full" = "full"): string {
  const options: Intl.DateTimeFormatOptions =
    parts === "time"
      ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
      : { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { ...options, hourCycle: "h23", timeZone: timezone }).format(
    new Date(at),
  );
}
