// What is really on the screen: small samples of a picture's pixels, taken inside the page.

const SIDE = 32;

/** Brightness of a video's or image's picture on a 32x32 grid, or null while it has none. */
export function sample(locator) {
  return locator.evaluate((element, side) => {
    const width = element.videoWidth ?? element.naturalWidth;
    if (!width) return null;
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(element, 0, 0, side, side);
    const { data } = context.getImageData(0, 0, side, side);
    return Array.from({ length: side * side }, (_, i) => (data[4 * i] * 3 + data[4 * i + 1] * 6 + data[4 * i + 2]) / 10);
  }, SIDE);
}

/** Standard deviation of a sample: a street has some, a blank picture has none. */
export function contrast(pixels) {
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  return Math.sqrt(pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length);
}

/** Mean difference of two samples: moving traffic has some, a frozen picture has none. */
export function difference(a, b) {
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]), 0) / a.length;
}
