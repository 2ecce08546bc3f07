import { requestJson, sizeInRequest } from "../../consul/request-json";

test.each(["e\u0301", "\u212b", "\u1100\u1161", "ö e\u0301 中文 \u{1f600}\u0301"])(
  "%j is JSON that Unicode's normalization does not change",
  (text) => {
    const json = requestJson({ [text]: text });
    expect(json.normalize("NFC")).toBe(json);
    expect(JSON.parse(json)).toEqual({ [text]: text });
  },
);
test("text that is normalized is JSON that people can read", () => expect(requestJson(["é 中文"])).toBe('["é 中文"]'));

test.each([
  ["letters", "yy", 4],
  ["quotes, as JSON writes them", '""', 6],
  ["characters of several bytes", "ü中", 7],
  ["characters as escapes", "e\u0301", 9],
  ["an object", { a: '"' }, 10],
])("the size of %s", (_, value, size) => expect(sizeInRequest(value)).toBe(size));
