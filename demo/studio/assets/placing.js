// Where a person lies on the picture, as ``iph.placement.Placement`` says it: a picture by its middle and height, mirrored,
// then turned clockwise. Places are shares of the photo; turning is done in its pixels. ``person`` has the size of their
// picture and the box around whom is seen in it.
const placing = (() => {
  const shape = () => parts.lines.viewBox.baseVal;

  function turned([x, y], angle) {
    const cos = Math.cos(angle * Math.PI / 180), sin = Math.sin(angle * Math.PI / 180);
    return [cos * x - sin * y, sin * x + cos * y];
  }

  const size = (person, of) => {
    const down = of.height * shape().height;
    return [down * person.width / person.height, down];
  };

  // From the middle of the picture to that of the box, in pixels, and the size of the box.
  function box(person, of) {
    const [across, down] = size(person, of), [x0, y0, x1, y1] = person.box;
    const [left, right] = of.mirrored ? [1 - x1, 1 - x0] : [x0, x1];
    const away = turned([((left + right) / 2 - 0.5) * across, ((y0 + y1) / 2 - 0.5) * down], of.angle);
    return { away, width: (right - left) * across, height: (y1 - y0) * down };
  }

  // A place in the box: -1, -1 is its upper left corner, 0, 1 the middle of its lower edge.
  function point(person, of, across, down) {
    const { away, width, height } = box(person, of);
    const [x, y] = turned([across * width / 2, down * height / 2], of.angle);
    return [of.x + (away[0] + x) / shape().width, of.y + (away[1] + y) / shape().height];
  }

  return {
    point,

    // How wide the person's picture is.
    width: (person, of) => size(person, of)[0] / shape().width,

    // The box before it was turned about its middle: for handles.
    frame(person, of) {
      const { width, height } = box(person, of), [x, y] = point(person, of, 0, 0);
      return { x, y, width: width / shape().width, height: height / shape().height };
    },

    // x0, y0, x1, y1 around all of it.
    bounds(person, of) {
      const corners = [[-1, -1], [1, -1], [-1, 1], [1, 1]].map(([across, down]) => point(person, of, across, down));
      const [xs, ys] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
      return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    },

    holds(person, of, [x, y]) {
      const { width, height } = box(person, of), middle = point(person, of, 0, 0);
      const inside = turned([(x - middle[0]) * shape().width, (y - middle[1]) * shape().height], -of.angle);
      return Math.abs(inside[0]) <= width / 2 && Math.abs(inside[1]) <= height / 2;
    },

    // The degrees of a way on the picture; up is 0.
    angle: ([x0, y0], [x1, y1]) => Math.atan2((x1 - x0) * shape().width, (y0 - y1) * shape().height) * 180 / Math.PI,

    // The same, turned about the middle of the box to an angle.
    turn(person, of, angle) {
      const whole = Math.round(10 * angle) / 10, now = { ...of, angle: whole - 360 * Math.round(whole / 360) };
      const from = point(person, of, 0, 0), to = point(person, now, 0, 0);
      return { ...now, x: now.x + from[0] - to[0], y: now.y + from[1] - to[1] };
    },
  };
})();
