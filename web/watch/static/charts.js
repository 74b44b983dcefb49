"use strict";
// Draws every chart of the page from its own table: the table is the data, and stays below the chart for whoever reads.
// uPlot is asked for when the first chart comes into view; without it, or without this script, the tables stand open.
(() => {
  const here = document.currentScript.src;
  const reads = new WeakMap(); // a figure → what was read from its table
  const drawn = new Map(); // a figure → its chart
  const left = new Map(); // the id of a figure that a live page took away → where somebody was in it
  let asked = null;
  let held = ""; // the id of the figure in which the keyboard is

  // Everything that is written beside a chart is written here, once.
  const WRITTEN = {
    count: (n) => n.toLocaleString("en-GB", { maximumFractionDigits: 0 }),
    seconds: (n) => {
      for (const [size, sign] of [[86400, "d"], [3600, "h"], [60, "min"]]) if (n >= size) return `${+(n / size).toFixed(1)} ${sign}`;
      return `${+n.toFixed(1)} s`;
    },
  };
  const written = (unit) => WRITTEN[unit] ?? ((n) => {
    const number = n.toLocaleString("en-GB", { maximumFractionDigits: n < 10 && n % 1 ? 2 : 0 });
    return unit.length === 1 ? unit + number : `${number} ${unit}`;
  });
  // Steps at which nice times lie, for the side of a chart of seconds.
  const TIMES = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 432000];

  function uplot() {
    asked ??= new Promise((done, failed) => {
      const sheet = document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = new URL("uplot.min.css", here);
      const script = document.createElement("script");
      script.src = new URL("uplot.min.js", here);
      script.onload = done;
      script.onerror = failed;
      document.head.append(sheet, script);
    });
    return asked;
  }

  function read(figure) {
    const heads = [...figure.querySelectorAll("thead th")].slice(1);
    const rows = [...figure.querySelectorAll("tbody tr")];
    return {
      unit: figure.dataset.unit,
      title: figure.querySelector("figcaption").textContent,
      names: rows.map((row) => row.querySelector("th").textContent.trim()),
      shorts: rows.map((row) => row.querySelector("th").dataset.short),
      told: rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent.trim()).join(", ")),
      series: heads.map((head, place) => ({
        name: head.textContent.trim(),
        kind: head.dataset.kind,
        colour: head.dataset.colour,
        values: rows.map((row) => {
          const value = row.querySelectorAll("td")[place].dataset.value;
          return value === undefined ? null : Number(value);
        }),
      })),
    };
  }

  // Bars stand on each other; so each is drawn from the ground to the sum, the highest first.
  function stacked(table) {
    const sums = table.names.map(() => 0);
    return table.series.map((one) =>
      one.kind === "bar" ? one.values.map((value, place) => (sums[place] += value ?? 0)) : one.values);
  }

  // Every second bar is striped, so that nobody needs its colour.
  function striped(colour, paper) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = paper;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = colour;
    pen.lineWidth = 3;
    for (const shift of [-8, 0, 8]) {
      pen.beginPath();
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  }

  function options(figure, table, size, at) {
    const style = getComputedStyle(figure);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const [ink, line, paper] = ["soft", "line", "sheet"].map(colour);
    const font = `12px ${style.fontFamily}`;
    const say = written(table.unit);
    const bars = window.uPlot.paths.bars({ size: [0.7, 48], radius: 0.05 });
    const series = table.series.map((one, place) => one.kind === "bar"
      ? { label: one.name, paths: bars, points: { show: false }, stroke: colour(one.colour), width: 1, fill: place % 2 ? striped(colour(one.colour), paper) : colour(one.colour) }
      : { label: one.name, stroke: colour(one.colour), width: 2, dash: place % 2 ? [6, 4] : [], spanGaps: true, points: { show: true, size: 6, fill: paper } });
    const side = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 62, values: (_, ticks) => ticks.map(say) };
    if (table.unit === "count") side.incrs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6];
    if (table.unit === "seconds") side.incrs = TIMES;
    const each = Math.ceil(table.shorts.length / Math.max(1, Math.floor((size.width - 62) / 56)));
    return {
      ...size,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: [-0.6, table.names.length - 0.4] }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.06 : 1] } },
      axes: [
        { stroke: ink, font, grid: { show: false }, ticks: { show: false }, size: 28, gap: 4, space: 20, incrs: [each], values: (_, ticks) => ticks.map((tick) => table.shorts[tick] ?? "") },
        side,
      ],
      series: [{}, ...series],
      hooks: { setCursor: [(chart) => chart.cursor.idx !== null && chart.cursor.left >= 0 && at(chart.cursor.idx)] },
    };
  }

  function keys(table) {
    const list = document.createElement("ul");
    list.className = "chart-keys";
    for (const [place, one] of table.series.entries()) {
      const item = document.createElement("li");
      item.className = `as-${one.kind}${place % 2 ? " odd" : ""}`;
      item.dataset.tone = one.colour;
      item.textContent = one.name;
      list.append(item);
    }
    return list;
  }

  // One can go through it point by point: it is a slider, whose value is what stands in the row of the table.
  function field(table, details) {
    const plot = document.createElement("div");
    plot.className = "plot";
    plot.tabIndex = 0;
    const reading = document.createElement("p");
    reading.className = "chart-reading";
    reading.setAttribute("aria-hidden", "true");
    const marks = { role: "slider", "aria-label": `${table.title}: point by point`, "aria-valuemin": 0, "aria-valuemax": table.names.length - 1, "aria-orientation": "horizontal" };
    for (const [name, value] of Object.entries(marks)) plot.setAttribute(name, value);
    details.before(keys(table), plot, reading);
    details.open = false;
    let place = table.names.length - 1;
    const at = (next) => {
      place = Math.min(Math.max(next, 0), table.names.length - 1);
      reading.textContent = `${table.names[place]}. ${table.told[place]}`;
      plot.setAttribute("aria-valuenow", place);
      plot.setAttribute("aria-valuetext", reading.textContent);
    };
    at(place);
    return { plot, at, place: () => place };
  }

  function draw(figure) {
    const known = reads.get(figure);
    const { table, plot, at } = known;
    const wide = Math.max(200, plot.clientWidth);
    const size = { width: wide, height: figure.classList.contains("small") ? 180 : Math.min(340, Math.max(220, wide * 0.4)) };
    // What stands behind is drawn first, so that a bar does not hide the one that it stands on.
    const values = stacked(table);
    const order = [...table.series.keys()].sort((a, b) => (table.series[a].kind === "line") - (table.series[b].kind === "line") || b - a);
    const sorted = options(figure, table, size, at);
    sorted.series = [{}, ...order.map((place) => sorted.series[place + 1])];
    drawn.get(figure)?.destroy();
    drawn.set(figure, new window.uPlot(sorted, [table.names.map((_, place) => place), ...order.map((place) => values[place])], plot));
  }

  function walk(event, figure) {
    const { at, place, table } = reads.get(figure);
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    at(place() + steps[event.key]);
    const chart = drawn.get(figure);
    chart.setCursor({ left: chart.valToPos(place(), "x"), top: 10 }, false);
  }

  const sized = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      const figure = target.closest("figure");
      const chart = drawn.get(figure);
      if (chart && Math.abs(chart.width - target.clientWidth) > 1) draw(figure);
    }
  });
  const inView = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) if (isIntersecting) show(target);
  }, { rootMargin: "200px" });

  async function show(figure) {
    inView.unobserve(figure);
    try {
      await uplot();
    } catch {
      return; // the table stands open, as without this script
    }
    if (reads.has(figure) || !figure.isConnected) return;
    const table = read(figure);
    reads.set(figure, { table, ...field(table, figure.querySelector("details")) });
    draw(figure);
    const { plot, at } = reads.get(figure);
    plot.addEventListener("keydown", (event) => walk(event, figure));
    plot.addEventListener("focus", () => { held = figure.id; });
    // Taken away with the keyboard in it, it gets it back when it is drawn anew.
    plot.addEventListener("blur", () => queueMicrotask(() => { if (figure.isConnected && held === figure.id) held = ""; }));
    sized.observe(plot);
    const was = left.get(figure.id);
    if (was) {
      at(was.place);
      figure.querySelector("details").open = was.open;
      if (held === figure.id) plot.focus({ preventScroll: true });
    }
    figure.dataset.drawn = "";
  }

  function find() {
    for (const figure of [...drawn.keys()]) if (!figure.isConnected) {
      left.set(figure.id, { place: reads.get(figure).place(), open: figure.querySelector("details").open });
      drawn.get(figure).destroy();
      drawn.delete(figure);
    }
    for (const figure of document.querySelectorAll("figure[data-chart]")) if (!reads.has(figure)) {
      // In the place of one that was drawn it is drawn at once, so that nothing jumps.
      if (left.has(figure.id)) show(figure);
      else inView.observe(figure);
    }
  }

  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    window.matchMedia(query).addEventListener("change", () => [...drawn.keys()].forEach(draw));
  // A live page takes away what is old and brings a new figure, which is drawn anew.
  new MutationObserver(find).observe(document.getElementById("main"), { childList: true, subtree: true });
  find();
})();
