// Web Mercator at zoom 0 (a world of 256 x 256), in which layers keep their corners so that drawing is one multiplication.

export const worldX = (longitude) => (256 * (longitude + 180)) / 360;

export function worldY(latitude) {
  const sine = Math.sin((latitude * Math.PI) / 180);
  return 128 - (64 * Math.log((1 + sine) / (1 - sine))) / Math.PI;
}

export const longitudeOf = (x) => (360 * x) / 256 - 180;

export const latitudeOf = (y) => (Math.atan(Math.sinh(Math.PI * (1 - y / 128))) * 180) / Math.PI;
