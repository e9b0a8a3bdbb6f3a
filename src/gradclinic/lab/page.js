// Draws the figures in the colours of the reader's scheme, and again when it changes.
"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function draw() {
    const grid = dark.matches ? "#2f353d" : "#e3e6ea";
    const axis = { automargin: true, gridcolor: grid, zerolinecolor: grid, linecolor: grid };
    figures.forEach((figure, place) => {
      const layout = Object.assign({}, structuredClone(figure.layout), {
        height: 420,
        font: { color: dark.matches ? "#d7dce2" : "#24292f", family: "system-ui, sans-serif", size: 12 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        modebar: { bgcolor: "rgba(0,0,0,0)", color: "#8b949e", activecolor: dark.matches ? "#d7dce2" : "#24292f" },
      });
      for (const key of ["xaxis", "yaxis"]) layout[key] = Object.assign({}, axis, layout[key]);
      Plotly.react("figure-" + place, figure.data, layout, { responsive: true, displaylogo: false });
    });
  }
  draw();
  dark.addEventListener("change", draw);
})();
