// Runs once, when the record is on the page: clicks on its buttons, citations in the chat, the link, focus, and the word for
// screen readers that an answer is done.
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const show = (node) => {
  node.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "center" });
  node.classList.add("landed");
  setTimeout(() => node.classList.remove("landed"), 1500);
};

// The record is drawn anew with every answer; what was open stays open, and the focus stays on what was corrected.
const open = new Set();
let corrected = null;
const keep = () => {
  for (const details of element.querySelectorAll("details")) details.open = open.has(details.id);
  const row = corrected && element.querySelector(`[data-criterion="${corrected}"]`);
  if (row) row.focus({ preventScroll: true });
  corrected = null;
};
const link = () => {
  const input = element.querySelector("[data-link]");
  if (input) input.value = `${location.origin}${location.pathname}?c=${input.dataset.link}`;
};
// Gradio draws the whole reply anew with each piece, which a screen reader would read from its start each time. So the chat is
// silent, and every piece is told once, in a place of its own; at the end it is told that the answer is complete.
const tell = (text) => {
  const place = document.getElementById("announced");
  if (!place || !text.trim()) return;
  const piece = document.createElement("p");
  piece.textContent = text;
  place.append(piece);
  while (place.childElementCount > 100) place.firstElementChild.remove();
};
let replies = 0;
let told = 0;
const tellNew = () => {
  const log = document.querySelector('#chat [role="log"]');
  if (log && log.getAttribute("aria-live") !== "off") log.setAttribute("aria-live", "off");
  const rows = document.querySelectorAll("#chat .bot-row");
  if (rows.length !== replies) told = 0;
  replies = rows.length;
  const text = rows.length ? rows[rows.length - 1].textContent.replace(/\s+/g, " ").trim() : "";
  const stop = document.getElementById("stop");
  if (stop && !stop.disabled && text.length > told) {
    tell(text.slice(told));
    told = text.length;
  }
};
const announce = () => {
  const verdict = element.querySelector("#verdict h2");
  const place = document.getElementById("announced");
  if (verdict && place) tell(`${place.dataset.done} ${verdict.textContent}`);
};

element.addEventListener("click", async (event) => {
  const summary = event.target.closest("summary");
  if (summary) setTimeout(() => (summary.parentElement.open ? open.add(summary.parentElement.id) : open.delete(summary.parentElement.id)));
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.turn) {
    const row = button.closest("[data-criterion]");
    corrected = row ? row.dataset.criterion : null;
    trigger("select", { turn: button.dataset.turn });
  }
  if (button.dataset.back) {
    const cited = [...document.querySelectorAll(`#chat a[href$="#passage-${button.dataset.back}"]`)].pop();
    if (cited) { show(cited); cited.focus({ preventScroll: true }); }
  }
  if ("copy" in button.dataset) {
    const input = element.querySelector("[data-link]");
    input.select();
    try { await navigator.clipboard.writeText(input.value); } catch { document.execCommand("copy"); }
    element.querySelector("span[data-copied]").textContent = button.dataset.copied;
  }
});

document.addEventListener("click", (event) => {
  const cited = event.target.closest && event.target.closest('#chat a[href*="#passage-"]');
  if (!cited) return;
  event.preventDefault();
  const passage = document.getElementById(cited.getAttribute("href").split("#")[1]);
  if (!passage) return;
  passage.open = true;
  open.add(passage.id);
  show(passage);
  passage.querySelector("summary").focus({ preventScroll: true });
}, true);

// A new turn is brought to the top of the chat, so that its reply is read from its beginning while it grows.
let turns = 0;
const follow = () => {
  const users = document.querySelectorAll("#chat .user-row");
  if (users.length > turns) {
    const last = users[users.length - 1];
    const pane = last.closest(".bubble-wrap");
    if (pane) pane.scrollTop += last.getBoundingClientRect().top - pane.getBoundingClientRect().top - 8;
  }
  turns = users.length;
  tellNew();
};
const watchChat = () => {
  const chat = document.getElementById("chat");
  if (chat) new MutationObserver(follow).observe(chat, { childList: true, subtree: true });
  else requestAnimationFrame(watchChat);
};
watchChat();

watch("value", () => { link(); keep(); announce(); });
link();
