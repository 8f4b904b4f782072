// The page's editor: what CodeMirror must do for it, and nothing else.
// It mounts into a shadow root, because the page's policy allows no <style> that a script adds to the document.
import { autocompletion, closeCompletion, completionStatus } from "@codemirror/autocomplete";
import { history, historyKeymap, defaultKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting, foldGutter } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, drawSelection, highlightActiveLine, hoverTooltip } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const ink = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--link)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--st-gate-ink)" },
  { tag: [tags.separator, tags.punctuation, tags.meta], color: "var(--ink-3)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface-2)", color: "var(--ink)", fontSize: "12px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "18px" },
  ".cm-gutters": { backgroundColor: "var(--surface-2)", color: "var(--ink-3)", border: "0" },
  ".cm-activeLine": { backgroundColor: "var(--sel-soft)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-2)", borderRadius: "6px" },
  ".cm-diagnostic": { padding: "6px 10px" },
  ".cm-about, .cm-completionInfo": { padding: "6px 10px", maxWidth: "420px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--sel-soft)", color: "var(--ink)" },
});

// `page.changed` hears of every new text, `apply` of Ctrl+Enter, `left` of Escape, `refused` of a text longer than `longest`; `complete(before,
// after)` gives what may follow and `explain(text, at)` what stands there. What comes back reads, writes and marks.
export function mount(host, text, label, page, longest) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.replaceChildren();
  // After `destroy` the page takes no calls any more, but timers may still make some.
  let there = true;
  const ask = (name, ...rest) => (there ? page[name](...rest) : null);
  const keys = keymap.of([
    { key: "Mod-Enter", run: () => (ask("apply"), true) },
    // Escape closes the list that is seen, then leaves the editor, so that Tab never traps. (From the host, Tab would lead in again.)
    { key: "Escape", run: (view) => {
      const seen = completionStatus(view.state) === "active";
      closeCompletion(view);
      if (!seen) ask("left");
      return true;
    } },
    ...defaultKeymap,
    ...historyKeymap,
  ]);
  const offers = (context) => {
    const { state, pos } = context;
    const [typed, rows] = ask("complete", state.sliceDoc(0, pos), state.sliceDoc(pos)) ?? [0, []];
    if (!rows.length || (!typed && !context.explicit)) return null;
    // A field has a type and takes a colon; a value has neither.
    const options = rows.map(([label, detail, info], at) =>
      ({ label, detail, info: info || undefined, apply: detail ? `${label}: ` : label, boost: -at / 10 }));
    return { from: pos - typed, options };
  };
  const words = hoverTooltip((view, pos) => {
    const about = ask("explain", view.state.doc.toString(), pos);
    if (!about) return null;
    const create = () => {
      const dom = document.createElement("div");
      dom.className = "cm-about";
      const name = document.createElement("b");
      name.textContent = `${about[0]} <${about[1]}>`;
      dom.append(name, document.createElement("br"), about[2]);
      return { dom };
    };
    return { pos, above: true, create };
  });
  const room = EditorState.transactionFilter.of((change) => {
    if (!change.docChanged || change.newDoc.length <= longest) return change;
    ask("refused");
    return [];
  });
  const state = EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), highlightActiveLine(), keys, yaml(),
      autocompletion({ override: [offers], activateOnTyping: true }), words, room,
      syntaxHighlighting(ink), look,
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
      EditorView.updateListener.of((update) => update.docChanged && ask("changed", update.state.doc.toString())),
    ],
  });
  const view = new EditorView({ state, parent: root, root });
  return {
    set(next) {
      if (next !== view.state.doc.toString()) {
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
      }
    },
    // Rows of [line, column, length in characters, severity, message]; lines and columns from 1.
    mark(rows) {
      const doc = view.state.doc;
      const found = rows.map(([line, column, length, severity, message]) => {
        const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
        const from = Math.min(at.from + Math.max(column - 1, 0), at.to);
        return { from, to: Math.min(from + Math.max(length, 1), doc.length), severity, message };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    go([line, column]) {
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: Math.min(at.from + Math.max(column - 1, 0), at.to) }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
    destroy() {
      there = false;
      view.destroy();
    },
  };
}
