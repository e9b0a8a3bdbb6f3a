// Draws the figures, in the colours of the reader's scheme, and again when scheme, width or medium changes.
"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 600px)");
  let printing = false;

  function theme() {
    const isDark = dark.matches && !printing;
    const grid = isDark ? "#2f353d" : "#e3e6ea";
    const axis = { automargin: true, gridcolor: grid, zerolinecolor: isDark ? "#6b747e" : "#9aa2ab", linecolor: grid };
    return {
      font: { color: isDark ? "#d7dce2" : "#24292f", family: "system-ui, sans-serif", size: 12 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: isDark ? "#24292f" : "#ffffff", font: { color: isDark ? "#f0f3f6" : "#24292f" } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: "#8b949e", activecolor: isDark ? "#d7dce2" : "#24292f" },
      xaxis: Object.assign({}, axis, { zeroline: false }), yaxis: axis, yaxis2: axis,
    };
  }

  function layoutOf(figure) {
    const shared = theme();
    const layout = Object.assign({}, shared, structuredClone(figure.layout));
    for (const key of ["xaxis", "yaxis", "yaxis2"]) {
      if (figure.layout[key]) layout[key] = Object.assign({}, shared[key], layout[key]);
      else delete layout[key];
    }
    if (narrow.matches) {
      layout.dragmode = false; // a finger on a chart scrolls the page
      for (const [path, value] of Object.entries(figure.narrow)) {
        const [axis, name] = path.split(".");
        layout[axis][name] = value;
      }
      // Every second label where there is room for half of them only.
      if (layout.xaxis.tickvals && layout.xaxis.tickvals.length > 12) {
        layout.xaxis.tickvals = layout.xaxis.tickvals.filter((_, i) => i % 2 === 0);
        layout.xaxis.ticktext = layout.xaxis.ticktext.filter((_, i) => i % 2 === 0);
      }
    }
    return layout;
  }

  function draw() {
    const config = {
      responsive: true, displaylogo: false, displayModeBar: narrow.matches ? false : "hover",
      modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
    };
    for (const [key, figure] of Object.entries(figures)) {
      Plotly.react(key, figure.data, layoutOf(figure), config);
    }
  }

  draw();
  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);
  window.addEventListener("beforeprint", () => {
    printing = true;
    for (const each of document.querySelectorAll("details:not([open])")) { each.open = true; each.dataset.opened = ""; }
    draw();
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    for (const each of document.querySelectorAll("details[data-opened]")) { each.open = false; delete each.dataset.opened; }
    draw();
  });
})();
