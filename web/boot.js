// Starts the page. A file of its own, because the page's policy allows no inline script.
// The bundler gives `web.js` and `web_bg.wasm` their final names here.
import init from "./web.js";

// The page asks for modules that it loads late; WebAssembly cannot import by itself.
globalThis.podpath = { load: (url) => import(new URL(url, document.baseURI)) };

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
