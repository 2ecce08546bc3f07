/** A host of a benchmark's cluster. */
export interface BenchHost {
  readonly name: string;
  readonly address: string;
  readonly role: "server" | "client";
}

/** Three servers, and clients up to the count. */
export function benchHosts(count: number): BenchHost[] {
  return Array.from({ length: count }, (_, index): BenchHost => {
    const role = index < 3 ? "server" : "client";
    return {
      name: `${role}-${index < 3 ? index + 1 : index - 2}`,
      address: `10.1.${Math.floor(index / 250)}.${1 + (index % 250)}`,
      role,
    };
  });
}
