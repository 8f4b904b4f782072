// Before the first paint: language, light and route, so that the picture in index.html is the right one and nothing jumps when
// the page takes over. The page itself reads them again (web/src/settings.rs): whatever goes wrong here is only a moment's look.
const root = document.documentElement;
const [route = "", inner = ""] = location.hash.replace(/^#\/?/, "").split("?");
const asked = new URLSearchParams(`${location.search.slice(1)}&${inner}`);
const kept = (name) => {
  try {
    return localStorage.getItem(`podpath.${name}`);
  } catch {
    return null;
  }
};
const spoken = navigator.languages.map((tag) => tag.split("-")[0]).find((tag) => tag === "ko" || tag === "en");
root.lang = [asked.get("lang"), kept("lang"), spoken].find((lang) => lang === "ko" || lang === "en") ?? "en";
const theme = [asked.get("theme"), kept("theme")].find((name) => name === "dark" || name === "light");
if (theme) root.dataset.theme = theme;
if (asked.get("motion") === "reduce") root.dataset.motion = "reduce";
for (const name of ["w-lesson", "w-inspect", "h-work"]) {
  const size = kept(`size.${name}`);
  if (/^\d+$/.test(size ?? "")) root.style.setProperty(`--${name}`, `${size}px`);
}
root.dataset.route = route === "" ? "first" : ["lessons", "coverage"].includes(route) ? "map" : "lab";
