/**
 * A part of a request is at most this large, in bytes. A request is one environment variable, for which Linux takes
 * 128 KiB with its name (MAX_ARG_STRLEN); the rest is for the request's other parts.
 */
export const MAX_PART_BYTES = 100_000;

/**
 * A value as JSON that Terraform does not change. Terraform normalizes all strings to Unicode's NFC, which would compose
 * the two characters of a decomposed é; escapes stay as they are.
 */
export function requestJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (json.normalize("NFC") === json) return json;
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The size of a value in a request, in bytes. Of a text it is the size of a JSON string. */
export const sizeInRequest = (value: unknown): number => Buffer.byteLength(requestJson(value));
