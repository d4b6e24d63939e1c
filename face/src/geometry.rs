//! Points, boxes, and the maps between the picture as it is stored and the picture as it is looked at.

/// A point of a picture, in pixels from its upper left corner; the middle of the first pixel is at 0.5, 0.5.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// A point.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The point halfway to another.
    #[must_use]
    pub fn midway(self, other: Self) -> Self {
        Self::new(f32::midpoint(self.x, other.x), f32::midpoint(self.y, other.y))
    }

    /// How far another is, in pixels.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An upright box, in pixels. It may reach beyond the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// The left edge.
    pub x: f32,
    /// The upper edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Rect {
    /// In square pixels.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The point in its middle.
    pub fn middle(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// What it shares with another, as a part of what both cover together: 0 to 1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let shared = width.max(0.0) * height.max(0.0);
        shared / (self.area() + other.area() - shared).max(f32::MIN_POSITIVE)
    }
}

/// An affine map of the plane: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    a: f32,
    b: f32,
    c: f32,
    d: f32,
    e: f32,
    f: f32,
}

impl Transform {
    /// Leaves everything where it is.
    pub const IDENTITY: Self = Self::new([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);

    pub(crate) const fn new([a, b, c]: [f32; 3], [d, e, f]: [f32; 3]) -> Self {
        Self { a, b, c, d, e, f }
    }

    /// Makes everything so many times as large, about the corner.
    pub(crate) const fn scale(factor: f32) -> Self {
        Self::new([factor, 0.0, 0.0], [0.0, factor, 0.0])
    }

    /// Turns by an angle in radians (clockwise as seen, since y goes down) and scales, so that `from` comes to `to`.
    pub(crate) fn about(from: Point, to: Point, angle: f32, scale: f32) -> Self {
        let (sin, cos) = (angle.sin() * scale, angle.cos() * scale);
        let turned = Self::new([cos, -sin, 0.0], [sin, cos, 0.0]).apply(from);
        Self::new([cos, -sin, to.x - turned.x], [sin, cos, to.y - turned.y])
    }

    /// Where a point comes to.
    pub fn apply(&self, point: Point) -> Point {
        Point::new(
            self.a * point.x + self.b * point.y + self.c,
            self.d * point.x + self.e * point.y + self.f,
        )
    }

    /// First this one, then the next.
    #[must_use]
    pub(crate) fn then(&self, next: &Self) -> Self {
        let c = next.apply(Point::new(self.c, self.f));
        Self::new(
            [
                next.a * self.a + next.b * self.d,
                next.a * self.b + next.b * self.e,
                c.x,
            ],
            [
                next.d * self.a + next.e * self.d,
                next.d * self.b + next.e * self.e,
                c.y,
            ],
        )
    }

    /// The way back. Of one that flattens the plane there is none, and it comes to nothing that is finite.
    #[must_use]
    pub(crate) fn inverse(&self) -> Self {
        let determinant = self.a * self.e - self.b * self.d;
        let (a, b) = (self.e / determinant, -self.b / determinant);
        let (d, e) = (-self.d / determinant, self.a / determinant);
        Self::new(
            [a, b, -(a * self.c + b * self.f)],
            [d, e, -(d * self.c + e * self.f)],
        )
    }

    /// How many times as long lines become, in the mean of all directions.
    pub fn factor(&self) -> f32 {
        (self.a * self.e - self.b * self.d).abs().sqrt()
    }

    /// How far one step to the right goes.
    pub(crate) fn step(&self) -> Point {
        Point::new(self.a, self.d)
    }

    /// The map of these points to those by turning, scaling and moving that leaves the least squares of distances
    /// (Umeyama 1991, in the plane, where it has a closed form).
    pub(crate) fn fitting(from: &[Point], to: &[Point]) -> Self {
        let mean = |points: &[Point]| {
            let count = points.len().max(1) as f32;
            let sum = points.iter().fold(Point::default(), |sum, point| {
                Point::new(sum.x + point.x, sum.y + point.y)
            });
            Point::new(sum.x / count, sum.y / count)
        };
        let (centre, target) = (mean(from), mean(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let (px, py) = (from.x - centre.x, from.y - centre.y);
            let (qx, qy) = (to.x - target.x, to.y - target.y);
            along += px * qx + py * qy;
            across += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let (cos, sin) = (along / spread, across / spread);
        let turned = Self::new([cos, -sin, 0.0], [sin, cos, 0.0]).apply(centre);
        Self::new([cos, -sin, target.x - turned.x], [sin, cos, target.y - turned.y])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: Point, b: Point) -> bool {
        a.distance(b) < 1e-2
    }

    proptest! {
        #[test]
        fn a_fit_finds_the_turn_that_was_made(
            angle in -3.0f32..3.0, scale in 0.1f32..10.0, x in -100.0f32..100.0, y in -100.0f32..100.0,
        ) {
            let made = Transform::about(Point::new(1.0, 2.0), Point::new(x, y), angle, scale);
            let from = [Point::new(0.0, 0.0), Point::new(10.0, 1.0), Point::new(4.0, 7.0)];
            let fit = Transform::fitting(&from, &from.map(|point| made.apply(point)));
            for point in from {
                prop_assert!(near(fit.apply(point), made.apply(point)));
                prop_assert!(near(fit.then(&fit.inverse()).apply(point), point));
            }
            prop_assert!((fit.factor() - scale).abs() < 1e-2 * scale);
        }

        #[test]
        fn boxes_overlap_all_of_themselves_and_nothing_elsewhere(
            x in -50.0f32..50.0, y in -50.0f32..50.0, width in 1.0f32..50.0, height in 1.0f32..50.0,
        ) {
            let one = Rect { x, y, width, height };
            let elsewhere = Rect { x: x + width + 1.0, ..one };
            prop_assert!((one.overlap(&one) - 1.0).abs() < 1e-3);
            prop_assert_eq!(one.overlap(&elsewhere), 0.0);
        }
    }
}
