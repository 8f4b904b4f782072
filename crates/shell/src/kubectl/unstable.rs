//! In which order do equals stand after Go has sorted them?
//!
//! kubectl sorts with `sort.Sort`, a pattern-defeating quicksort that does not keep equals in order: rows that share a value come
//! out in an order that follows from the algorithm alone. Up to twelve elements are sorted by insertion, which keeps it.
//! Source: Go 1.23, package sort.

/// Runs up to this length are sorted by insertion.
const INSERTION: usize = 12;
/// From this length on the pivot is the median of nine, and a few misplaced elements are put right.
const LONG: usize = 50;
/// Most misplaced elements that are put right one by one.
const MISPLACED: usize = 5;
/// Swaps that all nine candidates of a falling run need.
const ALL_SWAPPED: usize = 12;

/// Sorts as Go's `sort.Sort` does; `less` need not be an order.
pub(crate) fn sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let limit = usize::BITS - items.len().leading_zeros();
    let end = items.len();
    Run { items, less }.quick(0, end, limit);
}

/// What the sample of candidates says about a run.
#[derive(Clone, Copy, PartialEq)]
enum Looks {
    Rising,
    Falling,
    Mixed,
}

struct Run<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Run<'_, T, F> {
    fn less(&self, a: usize, b: usize) -> bool {
        (self.less)(&self.items[a], &self.items[b])
    }

    fn quick(&mut self, mut from: usize, mut to: usize, mut limit: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = to - from;
            if length <= INSERTION {
                return self.insert(from, to);
            }
            if limit == 0 {
                return self.heap(from, to);
            }
            if !balanced {
                self.shuffle(from, to);
                limit -= 1;
            }
            let (mut pivot, mut looks) = self.pivot(from, to);
            if looks == Looks::Falling {
                self.items[from..to].reverse();
                pivot = (to - 1) - (pivot - from);
                looks = Looks::Rising;
            }
            if balanced && partitioned && looks == Looks::Rising && self.nearly(from, to) {
                return;
            }
            if from > 0 && !self.less(from - 1, pivot) {
                from = self.split_equal(from, to, pivot);
                continue;
            }
            let (middle, already) = self.split(from, to, pivot);
            partitioned = already;
            let (left, right) = (middle - from, to - middle);
            balanced = left.min(right) >= length / 8;
            if left < right {
                self.quick(from, middle, limit);
                from = middle + 1;
            } else {
                self.quick(middle + 1, to, limit);
                to = middle;
            }
        }
    }

    fn insert(&mut self, from: usize, to: usize) {
        for i in from + 1..to {
            let mut j = i;
            while j > from && self.less(j, j - 1) {
                self.items.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn heap(&mut self, from: usize, to: usize) {
        let length = to - from;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift(root, length, from);
        }
        for last in (0..length).rev() {
            self.items.swap(from, from + last);
            self.sift(0, last, from);
        }
    }

    fn sift(&mut self, mut root: usize, length: usize, first: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= length {
                return;
            }
            if child + 1 < length && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.items.swap(first + root, first + child);
            root = child;
        }
    }

    /// Brings some elements out of a pattern that made the last split lopsided; what is drawn follows from the length alone.
    fn shuffle(&mut self, from: usize, to: usize) {
        let length = to - from;
        let mut drawn = length as u64;
        let mask = (1_u64 << (u64::BITS - drawn.leading_zeros())) - 1;
        let middle = from + length / 4 * 2;
        for at in middle - 1..=middle + 1 {
            drawn ^= drawn << 13;
            drawn ^= drawn >> 17;
            drawn ^= drawn << 5;
            let mut other = (drawn & mask) as usize;
            if other >= length {
                other -= length;
            }
            self.items.swap(at, from + other);
        }
    }

    fn pivot(&self, from: usize, to: usize) -> (usize, Looks) {
        let length = to - from;
        let mut swaps = 0;
        let [mut i, mut j, mut k] = [1, 2, 3].map(|quarter| from + length / 4 * quarter);
        if length >= LONG {
            i = self.median([i - 1, i, i + 1], &mut swaps);
            j = self.median([j - 1, j, j + 1], &mut swaps);
            k = self.median([k - 1, k, k + 1], &mut swaps);
        }
        j = self.median([i, j, k], &mut swaps);
        let looks = match swaps {
            0 => Looks::Rising,
            ALL_SWAPPED => Looks::Falling,
            _ => Looks::Mixed,
        };
        (j, looks)
    }

    fn median(&self, [mut a, mut b, mut c]: [usize; 3], swaps: &mut usize) -> usize {
        let mut order = |first: &mut usize, second: &mut usize| {
            if self.less(*second, *first) {
                *swaps += 1;
                std::mem::swap(first, second);
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }

    /// Whether a run that looks sorted is, after at most a few elements were put right.
    fn nearly(&mut self, from: usize, to: usize) -> bool {
        let mut i = from + 1;
        for _ in 0..MISPLACED {
            while i < to && !self.less(i, i - 1) {
                i += 1;
            }
            if i == to {
                return true;
            }
            if to - from < LONG {
                return false;
            }
            self.items.swap(i, i - 1);
            if i - from >= 2 {
                let mut j = i - 1;
                while j >= 1 && self.less(j, j - 1) {
                    self.items.swap(j, j - 1);
                    j -= 1;
                }
            }
            if to - i >= 2 {
                let mut j = i + 1;
                while j < to && self.less(j, j - 1) {
                    self.items.swap(j, j - 1);
                    j += 1;
                }
            }
        }
        false
    }

    /// Puts the smaller before the pivot and the others behind it; where it stands then, and whether they stood so already.
    fn split(&mut self, from: usize, to: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(from, pivot);
        let (mut i, mut j) = (from + 1, to - 1);
        let mut already = true;
        loop {
            while i <= j && self.less(i, from) {
                i += 1;
            }
            while i <= j && !self.less(j, from) {
                j -= 1;
            }
            if i > j {
                break;
            }
            already = false;
            self.items.swap(i, j);
            i += 1;
            j -= 1;
        }
        self.items.swap(j, from);
        (j, already)
    }

    /// Puts what equals the pivot first; where the greater ones begin.
    fn split_equal(&mut self, from: usize, to: usize, pivot: usize) -> usize {
        self.items.swap(from, pivot);
        let (mut i, mut j) = (from + 1, to - 1);
        loop {
            while i <= j && !self.less(from, i) {
                i += 1;
            }
            while i <= j && self.less(from, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.items.swap(i, j);
            i += 1;
            j -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sort;

    /// The places of `count` elements after they were sorted by `key`.
    fn sorted(count: usize, key: impl Fn(usize) -> usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..count).collect();
        sort(&mut places, |a, b| key(*a) < key(*b));
        places
    }

    #[test]
    fn few_equals_keep_their_order_and_many_do_not() {
        assert_eq!(sorted(12, |_| 0), (0..12).collect::<Vec<_>>());
        let places = [9, 18, 15, 3, 12, 0, 6, 10, 7, 4, 13, 16, 1, 19, 8, 5, 11, 14, 2, 17];
        assert_eq!(sorted(20, |i| i * 7 % 3), places);
        let long: Vec<String> = sorted(60, |i| i * 7_919 % 5).iter().map(usize::to_string).collect();
        assert_eq!(
            long.join(" "),
            "15 55 50 45 40 5 35 30 0 25 10 20 29 24 14 49 59 34 39 19 4 54 44 9 23 38 48 43 28 8 58 53 18 33 3 13 57 37 52 32 7 2 42 27 22 17 12 47 6 46 41 51 36 31 26 1 56 21 11 16"
        );
    }

    #[test]
    fn a_lopsided_split_is_followed_by_a_shuffle() {
        // Pods of three namespaces by their phase: one of sixteen differs. From kubectl 1.32, built with Go 1.23.
        let places = [8, 6, 2, 3, 0, 5, 15, 7, 4, 9, 10, 11, 12, 13, 14, 1];
        assert_eq!(sorted(16, |i| usize::from(i == 1)), places);
    }

    #[test]
    fn a_falling_run_is_turned_round_first() {
        let places: Vec<String> = sorted(60, |i| (60 - i) / 4).iter().map(usize::to_string).collect();
        assert_eq!(
            places.join(" "),
            "59 58 57 56 55 54 53 49 52 51 50 48 45 47 46 42 44 43 41 40 39 38 37 33 36 35 34 30 31 29 32 26 28 27 25 24 23 22 21 17 20 19 18 16 15 14 13 9 12 11 10 8 7 6 5 4 3 2 1 0"
        );
    }

    #[test]
    fn what_is_sorted_comes_out_in_order() {
        for count in [0, 1, 13, 49, 50, 200, 1_000] {
            let key = |i: usize| i.wrapping_mul(7_919) % 97;
            let places = sorted(count, key);
            assert!(places.windows(2).all(|pair| key(pair[0]) <= key(pair[1])), "{count}");
        }
    }
}
