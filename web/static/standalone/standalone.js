// Draws the data of this file on the map of this file. Values reach the page as text only.
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("map-data").textContent);
  var map = window.map_main;
  var words = data.words;
  var canvas = L.canvas({ padding: 0.3, tolerance: 4 });
  map.attributionControl.setPrefix("");
  L.control.zoom({ position: "topright", zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);

  function element(name, className, text) {
    var made = document.createElement(name);
    if (className) { made.className = className; }
    if (text !== undefined) { made.textContent = text; }
    return made;
  }

  // A hatch is drawn once on a small tile; classes differ by it even without colour.
  function hatched(style) {
    if (!style.hatch) { return style.fill; }
    var tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    var pen = tile.getContext("2d");
    pen.fillStyle = style.fill;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = pen.fillStyle = style.hatch_color;
    pen.beginPath();
    if (style.hatch.indexOf(".") >= 0) { pen.fillRect(1, 1, 1.5, 1.5); pen.fillRect(5, 5, 1.5, 1.5); }
    if (style.hatch.indexOf("/") >= 0 || style.hatch.indexOf("x") >= 0) {
      pen.moveTo(-1, 1); pen.lineTo(1, -1); pen.moveTo(-1, 9); pen.lineTo(9, -1); pen.moveTo(7, 9); pen.lineTo(9, 7);
    }
    if (style.hatch.indexOf("x") >= 0) {
      pen.moveTo(-1, 7); pen.lineTo(1, 9); pen.moveTo(-1, -1); pen.lineTo(9, 9); pen.moveTo(7, -1); pen.lineTo(9, 1);
    }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  function line(name) {
    var style = data.lines[name] || data.lines.grid;
    return { color: style.color, weight: Math.max(style.width_px, 0.5), dashArray: style.dash.length ? style.dash.join(" ") : null };
  }

  function outline(feature) {
    var style = line(feature.derived ? "derived" : data.level);
    var own = data.styles[feature.style];
    if (own.width_px) { style.color = data.ink; style.weight = own.width_px; }
    return style;
  }

  var fills = data.styles.map(hatched);
  var chosen = null;

  function choose(layer, feature) {
    if (chosen) { chosen.remove(); }
    chosen = L.layerGroup().addTo(map);
    // White under the accent colour, so that the choice is seen on dark classes too.
    [["#FFFFFF", 7], [data.selected, 3]].forEach(function (look) {
      var style = { color: look[0], weight: look[1], fill: false, interactive: false, renderer: canvas };
      if (feature.shape) { L.geoJSON(feature.shape, { style: style, interactive: false }).addTo(chosen); }
      else { L.circleMarker([feature.lat, feature.lon], Object.assign({ radius: 7 }, style)).addTo(chosen); }
    });
    details(feature);
  }

  function details(feature) {
    var box = document.getElementById("details");
    var table = element("table");
    box.replaceChildren(element("h2", "", feature.name || feature.code || ""), table);
    data.columns.forEach(function (column, number) {
      var row = element("tr");
      var value = feature.values[number];
      row.append(element("th", "", column.label), element("td", column.figure ? "figure" : "", value === null ? words.none : value));
      table.append(row);
    });
    box.hidden = false;
    box.scrollIntoView({ block: "nearest" });
  }

  function tip(feature) {
    var style = data.styles[feature.style];
    return element("span", "", (feature.name || feature.code || "") + (data.plain ? "" : "  " + style.label));
  }

  function finish(layer, feature) {
    layer.bindTooltip(function () { return tip(feature); }, { sticky: true });
    layer.on("click", function () { choose(layer, feature); });
    feature.layer = layer;
    layer.addTo(map);
  }

  if (data.county) {
    L.geoJSON(data.county, { renderer: canvas, interactive: false, style: { stroke: false, fillColor: data.land, fillOpacity: 1 } }).addTo(map);
  }
  data.areas.forEach(function (feature) {
    var style = Object.assign(outline(feature), { fillColor: fills[feature.style], fillOpacity: 1, renderer: canvas });
    if (data.styles[feature.style].fill === "transparent") { style.fillOpacity = 0; }
    L.geoJSON(feature.shape, { style: style }).eachLayer(function (layer) {
      finish(layer, feature);
    });
  });
  data.boundaries.forEach(function (boundary) {
    var style = Object.assign(line(boundary.derived ? "derived" : boundary.level), { fill: false, interactive: false, renderer: canvas });
    L.geoJSON(boundary.shape, { style: style, interactive: false }).addTo(map);
  });
  if (data.county) {
    L.geoJSON(data.county, { interactive: false, style: Object.assign(line("county"), { fill: false, renderer: canvas }) }).addTo(map);
  }
  data.points.forEach(function (feature) {
    var look = data.styles[feature.style];
    if (feature.shape) {
      L.geoJSON(feature.shape, { style: { renderer: canvas, color: look.fill, weight: look.width_px, fill: false } })
        .eachLayer(function (line) { finish(line, feature); });
      return;
    }
    var hollow = look.mark === "ring";
    var style = { renderer: canvas, radius: look.mark === "cross" ? 2 : 4, color: hollow ? look.fill : "#FFFFFF", weight: hollow ? 1.5 : 0.7, fillColor: hollow ? "#FFFFFF" : look.fill, fillOpacity: 1 };
    if (look.mark === "cross") { style.color = look.fill; style.weight = 2; style.fillOpacity = 0; }
    var layer = L.circleMarker([feature.lat, feature.lon], style);
    finish(layer, feature);
  });
  data.names.forEach(function (name) {
    L.tooltip({ permanent: true, direction: "center", className: "township", interactive: false })
      .setLatLng([name.lat, name.lon]).setContent(element("span", "", name.name)).addTo(map);
  });

  var legend = document.getElementById("legend");
  legend.append(element("h2", "", data.legend_title));
  var table = element("table");
  data.styles.forEach(function (style, number) {
    if (!style.count) { return; }
    var row = element("tr");
    var sample = element("canvas", style.mark ? "swatch mark" : "swatch");
    sample.width = 26; sample.height = 14;
    var pen = sample.getContext("2d");
    if (style.mark) {
      pen.fillStyle = pen.strokeStyle = style.fill;
      pen.lineWidth = 1.5;
      pen.beginPath();
      if (style.mark === "line") { pen.moveTo(2, 7); pen.lineTo(24, 7); }
      else { pen.arc(13, 7, style.mark === "cross" ? 2 : 4, 0, 7); }
      if (style.mark === "disc") { pen.fill(); } else { pen.stroke(); }
    } else if (style.fill !== "transparent") {
      pen.fillStyle = fills[number];
      pen.fillRect(0, 0, 26, 14);
    }
    var cell = element("td");
    cell.append(sample);
    row.append(cell, element("td", "", style.label), element("td", "figure", style.count.toLocaleString()));
    table.append(row);
  });
  var sum = element("tr", "sum");
  var total = data.styles.reduce(function (count, style) { return count + style.count; }, 0);
  sum.append(element("td"), element("td", "", words.total), element("td", "figure", total.toLocaleString()));
  table.append(sum);
  legend.append(table);

  if (data.ranking.length) {
    var list = document.getElementById("ranking");
    list.append(element("h2", "", words.ranking));
    data.ranking.forEach(function (entry) {
      var feature = data.areas[entry.area];
      var button = element("button", "row");
      button.type = "button";
      button.append(element("span", "", feature.name || feature.code), element("span", "", entry.figure));
      button.addEventListener("click", function () {
        if (feature.layer) { map.fitBounds(feature.layer.getBounds(), { maxZoom: 12, padding: [60, 60] }); choose(feature.layer, feature); }
      });
      list.append(button);
    });
  }
  map.fitBounds([[data.bounds[1], data.bounds[0]], [data.bounds[3], data.bounds[2]]], { padding: [12, 12] });
  document.documentElement.dataset.ready = String(data.areas.length + data.points.length);
})();
