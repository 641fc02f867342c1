"use strict";
// The page works from one JSON document: for each model a list of changes, each with the elements of both drawings.
const data = JSON.parse(document.getElementById("page-data").textContent);
const found = (ids) => ids.map((id) => document.getElementById(id)).filter(Boolean);
document.querySelectorAll("section").forEach((section, model) => {
  const buttons = [...section.querySelectorAll("button[data-change]")];
  const choose = (index) => {
    for (const element of section.querySelectorAll(".on")) element.classList.remove("on");
    buttons[index].classList.add("on");
    for (const side of ["old", "new"]) {
      const elements = found(data[model][index][side]);
      for (const element of elements) {
        element.classList.add("on");
        // The first layer of a box has no outline of its own.
        if (!element.querySelector(":scope>path") && element.parentNode.id.includes("box:")) element.parentNode.classList.add("on");
      }
      if (elements.length) into(elements[0]);
    }
  };
  const into = (element) => {
    const pane = element.closest(".pane");
    const box = element.getBoundingClientRect();
    const frame = pane.getBoundingClientRect();
    pane.scrollTo({
      top: pane.scrollTop + box.top - frame.top - frame.height / 2 + box.height / 2,
      left: pane.scrollLeft + box.left - frame.left - frame.width / 2 + box.width / 2,
      behavior: "smooth",
    });
  };
  buttons.forEach((button, index) => button.addEventListener("click", () => choose(index)));
  data[model].forEach((change, index) => {
    for (const element of [...found(change.old), ...found(change.new)]) {
      element.style.cursor = "pointer";
      element.addEventListener("click", () => choose(index));
    }
  });
});
