import { arrow, box, label, picture, WIDTH } from "./picture-parts";

const LANES = { deploy: 66, server: 220, others: 374 } as const;
type Lane = keyof typeof LANES;

/** What happens while one server is replaced, in its order. */
const STEPS: readonly { readonly from: Lane; readonly to: Lane; readonly words: string }[] = [
  { from: "deploy", to: "others", words: "1. acquire the deploy lock" },
  { from: "deploy", to: "others", words: "2. a quorum without it? all answer anew" },
  { from: "deploy", to: "server", words: "3. stop" },
  { from: "server", to: "others", words: "4. transfer leadership" },
  { from: "deploy", to: "server", words: "5. new container" },
  { from: "server", to: "others", words: "6. join, with its data" },
  { from: "deploy", to: "server", words: "7. ready, and a voter?" },
  { from: "deploy", to: "others", words: "8. release the deploy lock" },
];
const TOP = 76;
const STEP = 42;

/** The sequence of a rolling replacement, for one server. */
export function rolloutPicture(): string {
  const height = TOP + STEPS.length * STEP + 48;
  const middleOf = (from: Lane, to: Lane) => (LANES[from] + LANES[to]) / 2;
  return picture(
    `How a server is replaced: ${STEPS.map(({ words }) => words).join("; ")}. Then the next server.`,
    WIDTH,
    height,
    [
      ...Object.values(LANES).map((x) => `<path class="life" d="M${x} 48V${height - 44}"/>`),
      box("thing", { x: 12, y: 14, width: 108, height: 34 }, ["deploy"]),
      box("server", { x: 166, y: 14, width: 108, height: 34 }, ["server"]),
      box("thing", { x: 320, y: 14, width: 108, height: 34 }, ["other servers"]),
      ...STEPS.flatMap(({ from, to, words }, index) => {
        const y = TOP + index * STEP + 14;
        return [label(words, middleOf(from, to), y - 7, "middle over"), arrow([LANES[from], y], [LANES[to], y])];
      }),
      label("Then the next server. A check that denies stops nothing.", WIDTH / 2, height - 18),
    ],
  );
}
