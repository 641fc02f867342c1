// The editor: what is wrong is underlined, the figures of a line stand at its end, `->` becomes `→`.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, snippetCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, drawSelection, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { cnn } from "./language.js";

class Hint extends WidgetType {
  constructor(text, stale) { super(); this.text = text; this.stale = stale; }
  eq(other) { return this.text === other.text && this.stale === other.stale; }
  toDOM() {
    const span = document.createElement("span");
    span.className = `hint${this.stale ? " stale" : ""}`;
    span.textContent = `${this.stale ? "~" : ""}${this.text}`;
    // What is read aloud is the text alone; the table has the figures.
    span.setAttribute("aria-hidden", "true");
    return span;
  }
}
const setHints = StateEffect.define();
// Between an edit and its answer the hints move with their lines.
const hints = StateField.define({
  create: () => Decoration.none,
  update(shown, change) {
    shown = shown.map(change.changes);
    for (const effect of change.effects) {
      if (!effect.is(setHints)) continue;
      const length = change.newDoc.length;
      shown = Decoration.set(effect.value.filter((hint) => hint.at <= length).map((hint) => Decoration.widget({ widget: new Hint(hint.text, hint.stale), side: 1 }).range(hint.at)), true);
    }
    return shown;
  },
  provide: (field) => EditorView.decorations.from(field),
});
const arrow = EditorView.inputHandler.of((view, from, to, text) => {
  const line = view.state.doc.lineAt(from);
  const before = line.text.slice(0, from - line.from);
  if (text !== ">" || from !== to || !before.endsWith("-") || before.includes("#")) return false;
  view.dispatch({ changes: { from: from - 1, to, insert: "→" }, selection: { anchor: from }, userEvent: "input.type" });
  return true;
});

export class Editor {
  constructor(parent, text, { changed, ask, format }) {
    const complete = async (context) => {
      if (!context.explicit && !context.matchBefore(/[\w"]+$/)) return null;
      const found = await ask({ what: "complete", at: context.pos });
      if (!found || !found.length) return null;
      const options = found.map((one) => {
        const shown = { label: one.label, type: one.kind, detail: one.detail.slice(0, 60) };
        return one.snippet ? snippetCompletion(one.text.replace(/\$(\d)/g, "#{$1}"), shown) : { ...shown, apply: one.text };
      });
      return { from: found[0].from, options, validFor: /^\w*$/ };
    };
    const hover = hoverTooltip(async (view, pos) => {
      const found = await ask({ what: "hover", at: pos });
      if (!found) return null;
      return { pos: found.from, end: found.to, above: true, create: () => ({ dom: page(found.text) }) };
    });
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(), bracketMatching(), closeBrackets(),
          indentOnInput(), highlightSelectionMatches(), lintGutter(), cnn(), hints, arrow, hover,
          autocompletion({ override: [complete] }),
          keymap.of([{ key: "Shift-Alt-f", run: () => { format(); return true; } }, ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...searchKeymap, ...lintKeymap]),
          EditorView.contentAttributes.of({ "aria-label": "Program in the language cnn", autocapitalize: "off", autocorrect: "off", spellcheck: "false" }),
          EditorView.updateListener.of((update) => { if (update.docChanged || update.selectionSet) changed(update.docChanged); }),
        ],
      }),
    });
  }
  get text() { return this.view.state.doc.toString(); }
  get cursor() { return this.view.state.selection.main.head; }
  set text(text) { this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 } }); }
  // Another text with as little of it exchanged as possible, so that cursor and history stay.
  become(text) {
    const now = this.text;
    let start = 0;
    while (start < Math.min(now.length, text.length) && now[start] === text[start]) start++;
    let end = 0;
    while (end < Math.min(now.length, text.length) - start && now[now.length - 1 - end] === text[text.length - 1 - end]) end++;
    this.view.dispatch({ changes: { from: start, to: now.length - end, insert: text.slice(start, text.length - end) } });
  }
  tell(found, shown) {
    const length = this.view.state.doc.length;
    const diagnostics = found.map((problem) => ({
      from: Math.min(problem.from, length), to: Math.min(Math.max(problem.to, problem.from), length), severity: problem.severity,
      message: [problem.message, problem.help].filter(Boolean).join("\n"), source: problem.id,
      actions: problem.edits.length ? [{ name: problem.title, apply: () => this.mend(problem) }] : [],
    }));
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics), { effects: setHints.of(shown) });
  }
  mend(problem) {
    this.view.dispatch({ changes: problem.edits.map(({ from, to, text }) => ({ from, to, insert: text })) });
    this.view.focus();
  }
  go(at) {
    this.view.dispatch({ selection: { anchor: Math.min(at, this.view.state.doc.length) }, scrollIntoView: true });
    this.view.focus();
  }
}
// Markdown as far as our own pages use it: headings, code, and the rest as text.
function page(text) {
  const dom = document.createElement("div");
  dom.className = "cm-page";
  for (const part of text.split(/(```[\s\S]*?```)/)) {
    const code = part.startsWith("```");
    const block = document.createElement(code ? "pre" : "div");
    block.textContent = code ? part.replace(/^```\w*\n?|```$/g, "") : part.replace(/^#+ /gm, "").replace(/\*\*|`/g, "").trim();
    if (!code) block.style.whiteSpace = "pre-wrap";
    if (block.textContent) dom.append(block);
  }
  return dom;
}
