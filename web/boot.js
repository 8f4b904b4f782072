// Starts the page. A file of its own, because the page's policy allows no inline script.
// The bundler gives `web.js` and `web_bg.wasm` their final names here.
import init from "./web.js";

// The page asks for modules and files that it loads late; WebAssembly cannot import by itself. It leaves `link` and `words` here.
globalThis.podpath = {
  load: (url) => import(new URL(url, document.baseURI)),
  async bytes(url) {
    const answer = await fetch(new URL(url, document.baseURI));
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  },
};

// A panic ends in a trap, and so does a stack that is too deep: after either, WebAssembly cannot be called again. What it left
// here is shown above the page as it was last drawn.
function stopped(error) {
  const failure = document.getElementById("boot-failure");
  const trap = error instanceof WebAssembly.RuntimeError || /call stack|too much recursion/.test(error?.message);
  if (!trap || !failure.hidden) return;
  const { words = {}, link } = globalThis.podpath;
  failure.textContent = words.crashed ?? `Podpath stopped. · 멈췄습니다. (${error})`;
  failure.hidden = false;
  const reload = document.createElement("button");
  reload.className = "btn";
  reload.textContent = words.reload ?? "Reload · 새로 고침";
  reload.addEventListener("click", () => location.reload());
  failure.append(" ", reload);
  if (link) {
    const field = document.createElement("input");
    field.readOnly = true;
    field.className = "share-link";
    field.value = link;
    field.setAttribute("aria-label", words.link ?? "Link");
    failure.append(" ", field);
  }
}
addEventListener("error", (event) => stopped(event.error));
addEventListener("unhandledrejection", (event) => stopped(event.reason));

try {
  await init({ module_or_path: new URL("./web_bg.wasm", import.meta.url) });
  document.documentElement.dataset.started = "";
} catch (error) {
  const failure = document.getElementById("boot-failure");
  failure.textContent =
    `Podpath could not start in this browser. · 이 브라우저에서 시작하지 못했습니다. (${error})`;
  failure.hidden = false;
  throw error;
}
