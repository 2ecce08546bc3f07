import { makeReport, textTable } from "../../bench/report";

test("each aim stands in its own terms, and a missed one leaps to the eye", () => {
  const report = makeReport(
    [
      { what: "synth", ours: 0.25, against: "by hand", theirs: 0.5, unit: "s", aim: { ratio: 0.6 } },
      { what: "longest gap", ours: 0.7, against: "by hand", theirs: 14, unit: "s", aim: { ours: 0.5 } },
      { what: "failed writes", ours: 0.125, against: "by hand", theirs: 0, unit: "%" },
    ],
    {},
  );
  expect(textTable(report)).toBe(
    [
      "what              ours   theirs  ratio       aim  met?  theirs is",
      "synth          0.250 s  0.500 s   0.50    <= 0.6  yes   by hand",
      "longest gap    0.700 s   14.0 s   0.05  <= 0.5 s  NO    by hand",
      "failed writes  0.125 %   0.00 %                         by hand",
    ].join("\n"),
  );
  expect(JSON.parse(JSON.stringify(report.comparisons[2]))).toEqual({
    what: "failed writes",
    ours: 0.125,
    against: "by hand",
    theirs: 0,
    unit: "%",
    met: true,
  });
});
