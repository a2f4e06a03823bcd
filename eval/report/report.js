
// Show the sample cards that fit the three filters. Without JavaScript every card is shown.
"use strict";
const cards = [...document.querySelectorAll(".sample")];
const filters = document.querySelector("#filters");

function show() {
  const wanted = new FormData(filters);
  let shown = 0;
  for (const card of cards) {
    const { correct, gold, contradicted } = card.dataset;
    card.hidden =
      (wanted.get("correct") !== "" && wanted.get("correct") !== correct) ||
      (wanted.get("gold") !== "" && wanted.get("gold") !== gold) ||
      (wanted.has("contradicted") && contradicted === "0");
    shown += card.hidden ? 0 : 1;
  }
  document.querySelector("#shown").textContent = `${shown} of ${cards.length} shown`;
}

if (filters) {
  filters.hidden = false;
  filters.addEventListener("change", show);
  filters.addEventListener("submit", (event) => event.preventDefault());
  show();
}
