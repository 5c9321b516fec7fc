// Tiles drawn in GCJ-02 under data in CGCS2000: the tile grid is asked for and placed at the shifted position.
// The public approximation of the official transform, good to about a metre; the server holds the reference version.

const L = window.L;
const SEMI_MAJOR_M = 6378245;
const ECCENTRICITY2 = 0.00669342162296594323;

function shift(latlng) {
  const x = latlng.lng - 105;
  const y = latlng.lat - 35;
  if (x < -33 || x > 33 || y < -35 || y > 21) return latlng;
  const sine = (turns) => Math.sin(turns * Math.PI);
  const wave = 20 * sine(6 * x) + 20 * sine(2 * x);
  const p = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x))
    + (2 / 3) * (wave + 20 * sine(y) + 40 * sine(y / 3) + 160 * sine(y / 12) + 320 * sine(y / 30));
  const q = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x))
    + (2 / 3) * (wave + 20 * sine(x) + 40 * sine(x / 3) + 150 * sine(x / 12) + 300 * sine(x / 30));
  const phi = (latlng.lat * Math.PI) / 180;
  const m = 1 - ECCENTRICITY2 * Math.sin(phi) ** 2;
  return L.latLng(
    latlng.lat + (p * 180 * m * Math.sqrt(m)) / (Math.PI * SEMI_MAJOR_M * (1 - ECCENTRICITY2)),
    latlng.lng + (q * 180 * Math.sqrt(m)) / (Math.PI * SEMI_MAJOR_M * Math.cos(phi)),
  );
}

/** Make a Leaflet tile layer ask for and place its tiles as GCJ-02. */
export function shiftTiles(layer) {
  const prototype = L.GridLayer.prototype;
  layer._getTiledPixelBounds = (centre) => prototype._getTiledPixelBounds.call(layer, shift(centre));
  layer._setZoomTransform = (level, centre, zoom) => prototype._setZoomTransform.call(layer, level, shift(centre), zoom);
}
