// Colours of programs. The words come from the grammar and the registry of layers, as those of all editors do.
import { StreamLanguage, LanguageSupport, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Tag, tags } from "@lezer/highlight";
import words from "./words.json";

const layer = Tag.define(), label = Tag.define();
const keywords = new Set([...words.declarations, ...words.others, ...words.constants]);
const layers = new Set([...words.layers, ...words.merges, ...words.functions]);
const windowed = new RegExp(`^(?:${words.windowed.join("|")})${words.window}$`);
const parser = {
  name: "cnn",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^[A-Za-z_][\w.]*(?=\s*:)/)) return "label";
    const word = stream.match(/^[A-Za-z_]\w*/);
    if (word) {
      if (keywords.has(word[0])) return "keyword";
      return layers.has(word[0]) || windowed.test(word[0]) || /^[A-Z]/.test(word[0]) ? "layer" : null;
    }
    if (stream.match(/^[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[KMG]?(?:x[0-9]+)*/)) return "number";
    if (stream.match(/^(?:→|->|[|×=+*/%<>≠≤≥-])/)) return "operator";
    stream.next();
    return null;
  },
  tokenTable: { layer, label },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
};
const colours = HighlightStyle.define([
  { tag: tags.comment, class: "tok-comment" }, { tag: tags.keyword, class: "tok-keyword" }, { tag: tags.string, class: "tok-string" },
  { tag: tags.number, class: "tok-number" }, { tag: tags.operator, class: "tok-operator" }, { tag: layer, class: "tok-layer" }, { tag: label, class: "tok-label" },
]);
export const cnn = () => new LanguageSupport(StreamLanguage.define(parser), [syntaxHighlighting(colours)]);
