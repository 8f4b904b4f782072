// The page's editor: what CodeMirror must do for it, and nothing else.
// It mounts into a shadow root, because the page's policy allows no <style> that a script adds to the document.
import { history, historyKeymap, defaultKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";

export function mount(host, text) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const state = EditorState.create({
    doc: text,
    extensions: [lineNumbers(), history(), keymap.of([...defaultKeymap, ...historyKeymap]), yaml()],
  });
  return new EditorView({ state, parent: root, root });
}
