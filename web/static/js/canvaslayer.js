// A Leaflet layer that paints one canvas: sharp on dense screens, follows zoom animations, repaints when the map rests.
// Builds on L.Renderer, which keeps a padded canvas in place while the map moves.

const L = window.L;
const DENSEST = 2;

export const CanvasLayer = L.Renderer.extend({
  options: { padding: 0.15, pane: "areas", opacity: 1 },

  /** Paint again in the next frame: data, style or filter has changed. */
  repaint() {
    if (!this._map || this._asked) return;
    this._asked = L.Util.requestAnimFrame(() => {
      this._asked = null;
      if (this._map) this._paint();
    });
  },

  setOpacity(opacity) {
    this.options.opacity = opacity;
    if (this._container) this._container.style.opacity = opacity;
  },

  _initContainer() {
    this._container = L.DomUtil.create("canvas", "canvas-layer");
    this._container.style.opacity = this.options.opacity;
  },

  _destroyContainer() {
    this._container.remove();
    delete this._container;
  },

  _updatePaths() {},

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this._paint();
  },

  _paint() {
    const canvas = this._container;
    const size = this._bounds.getSize();
    const dense = Math.min(window.devicePixelRatio || 1, DENSEST);
    L.DomUtil.setPosition(canvas, this._bounds.min);
    canvas.width = Math.round(size.x * dense);
    canvas.height = Math.round(size.y * dense);
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    const context = canvas.getContext("2d");
    context.scale(dense, dense);
    const corner = this._map.getPixelOrigin().add(this._bounds.min);
    const scale = 2 ** this._map.getZoom();
    this.draw(context, {
      scale,
      left: corner.x,
      top: corner.y,
      width: size.x,
      height: size.y,
      zoom: this._map.getZoom(),
      // The painted part in world coordinates.
      box: [corner.x / scale, corner.y / scale, (corner.x + size.x) / scale, (corner.y + size.y) / scale],
    });
    this.fire("painted");
  },
});
