import { architecturePicture } from "../../docs/architecture-picture";
import { clusterPicture } from "../../docs/cluster-picture";
import { recordedDashboard } from "../../docs/dashboard-picture";
import { CHANGES, deployPicture, MOMENT } from "../../docs/deploy-picture";
import { WIDTH } from "../../docs/picture-parts";
import { portPicture } from "../../docs/port-picture";
import { rolloutPicture } from "../../docs/rollout-picture";
import { statusPicture } from "../../docs/status-picture";
import { viewLines } from "../../ops/deploy/live-view";
import { graphOf } from "../../ops/diagram/graph";
import { svg } from "../../ops/diagram/svg";
import { textWidth } from "../../ops/diagram/text-fit";
import { FOUR_HOSTS, load } from "../cluster-files";
import { PLANNED, Watched } from "../ops/deploy/recorded-deploys";

const PICTURES = {
  architecture: architecturePicture(),
  ports: portPicture(),
  rollout: rolloutPicture(),
  cluster: clusterPicture(),
};

/** The font sizes of the cluster's picture. Other texts have 12 pixels. */
const SIZES: Readonly<Record<string, number>> = { cluster: 22, about: 13, title: 13 };

/** How far a text reaches, from left to right. */
function reach([, look = "", x = "0", words = ""]: readonly (string | undefined)[]): [number, number] {
  const size = SIZES[look.split(" ")[0] ?? ""] ?? 12;
  const width = textWidth(words, { size, bold: /strong|on-|cluster|title|number/.test(look) });
  const left = Number(x) - (look.includes("middle") ? width / 2 : 0);
  return [left, left + width];
}

describe.each(Object.entries({ ...PICTURES, dashboard: recordedDashboard() }))(
  "the picture of the %s",
  (_, picture) => {
    const texts = [...picture.matchAll(/<text(?: class="([^"]*)")? x="([\d.]+)"[^>]*>([^<]*)<\/text>/g)];

    test("is as wide as a phone, and no text leaves it", () => {
      expect(picture).toContain(`viewBox="0 0 ${WIDTH} `);
      expect(texts.length).toBeGreaterThan(8);
      for (const text of texts) {
        const [left, right] = reach(text);
        expect([text[3], left > 8, right < WIDTH - 8]).toEqual([text[3], true, true]);
      }
    });

    test("has other colours on a dark page, and words for those who do not see it", () => {
      expect(picture).toContain("@media(prefers-color-scheme:dark)");
      const [, labels = ""] = /^<svg [^>]*aria-labelledby="([^"]*)"/.exec(picture) ?? [];
      const words = labels.split(" ").map((id) => new RegExp(`<(title|desc) id="${id}">(.*)</\\1>`).exec(picture)?.[2]);
      expect(words.join("; ")).toMatch(/^.{40}/);
    });
  },
);

/** Lengths of the straight lines at the ends of a path that have a point. */
function straightEnds([, attributes = "", path = ""]: readonly (string | undefined)[]): number[] {
  let at: [number, number] = [0, 0];
  const lengths = [...path.matchAll(/([MLCHV])([^MLCHV]*)/g)].map(([, kind, numbers = ""]) => {
    const values = numbers.trim().split(" ").map(Number);
    const [x, y] = at;
    if (kind === "H") at = [values[0] ?? x, y];
    else if (kind === "V") at = [x, values[0] ?? y];
    else at = values.slice(-2) as [number, number];
    return kind === "C" ? 0 : Math.hypot(at[0] - x, at[1] - y);
  });
  // The first part only moves to the beginning.
  return [lengths.at(-1) ?? 0, ...(attributes.includes("marker-start") ? [lengths[1] ?? 0] : [])];
}

test.each(Object.entries({ ...PICTURES, "cluster of the tests": svg(graphOf(load(FOUR_HOSTS))) }))(
  "the points of the arrows of the %s are on straight lines, so that they follow them",
  (_, picture) => {
    const arrows = [...picture.matchAll(/<path ([^>]*marker-end[^>]*) d="([^"]*)"/g)];
    expect(arrows.length).toBeGreaterThan(3);
    for (const arrow of arrows) expect(Math.min(...straightEnds(arrow))).toBeGreaterThanOrEqual(8);
  },
);

describe.each(Object.entries({ status: statusPicture(), deploy: deployPicture() }))(
  "the picture of npm run %s",
  (name, picture) => {
    const texts = [...picture.matchAll(/<text x="([\d.]+)" y="[\d.]+" textLength="([\d.]+)" fill="#\w+">([^<]*)</g)];

    test("is as wide as a phone, begins with its prompt, and no text leaves it", () => {
      expect(picture).toContain(`viewBox="0 0 ${WIDTH} `);
      expect(texts[0]?.[3]).toBe(`$ npm run ${name}`);
      expect(texts.length).toBeGreaterThan(20);
      expect(texts.filter(([, x, width]) => Number(x) + Number(width) > WIDTH - 8)).toEqual([]);
    });

    test("has words for those who do not see it", () =>
      expect(picture).toMatch(/aria-labelledby="about">\n<title id="about">.{40}/));
  },
);

test("the picture of a status shows a stopped agent, with its hint", () => {
  expect(statusPicture()).toMatch(/fill="#ff7b72">exited</);
  expect(statusPicture()).toContain(">hint: npm run doctor -- --fix;");
});

test("the picture of a deploy shows a moment of a recorded deploy", () => {
  expect(CHANGES.changes.map(({ address, action }) => [address, action])).toEqual(
    "changes" in PLANNED ? PLANNED.changes.map(({ address, action }) => [address, action]) : [],
  );
  const { progress, now } = new Watched().replay("rolling", "consul-server1: waiting for a leader");
  expect(viewLines(MOMENT, 33, MOMENT.now, 20)).toEqual(viewLines(progress, 33, now + 2000, 20));
});
