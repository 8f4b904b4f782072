//! In which order do Go's `sort.Slice` and `sort.Sort` leave what they cannot tell apart?
//!
//! Lists of up to twelve keep the order of equals. Longer ones do not, but always come out the same: who is evicted of
//! pods that are equally important depends on it, and how kubectl's rows stand that share a value. So the steps are taken one by one.
//! Source: package `sort` of Go 1.23 and 1.24, a pattern-defeating quicksort (arXiv:2106.05123).

/// Up to this length, insertion is used.
const SHORT: usize = 12;
/// From this length on, more elements are looked at for a pivot, and nearly sorted lists are repaired.
const LONG: usize = 50;

/// The release of Go that a program is built with. They draw other numbers where a split was lopsided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// kubectl 1.32.
    V1_23,
    /// kube-scheduler 1.34.
    V1_24,
}

/// Sorts by `less`, as that Go does; `less` need not be an order.
pub fn sort<T>(go: Go, list: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let (end, limit) = (list.len(), bits(list.len()));
    Sorter { go, list, less }.sort(0, end, limit);
}

/// How many bits a number takes.
fn bits(number: usize) -> u32 {
    usize::BITS - number.leading_zeros()
}

/// What the elements that were looked at for a pivot let hope for.
#[derive(Clone, Copy, PartialEq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

struct Sorter<'l, T, F> {
    go: Go,
    list: &'l mut [T],
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, a: usize, b: usize) -> bool {
        (self.less)(&self.list[a], &self.list[b])
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.list.swap(a, b);
    }

    fn sort(&mut self, mut from: usize, mut to: usize, mut limit: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = to - from;
            if length <= SHORT {
                return self.insert(from, to);
            }
            if limit == 0 {
                return self.heap(from, to);
            }
            if !balanced {
                self.break_patterns(from, to);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.pivot(from, to);
            if hint == Hint::Decreasing {
                self.list[from..to].reverse();
                pivot = (to - 1) - (pivot - from);
                hint = Hint::Increasing;
            }
            if balanced && partitioned && hint == Hint::Increasing && self.repair(from, to) {
                return;
            }
            // Everything here is at least as large as what stands before: take out what equals the pivot.
            if from > 0 && !self.less(from - 1, pivot) {
                from = self.partition_equal(from, to, pivot);
                continue;
            }
            let (middle, already) = self.partition(from, to, pivot);
            partitioned = already;
            let (left, right) = (middle - from, to - middle);
            balanced = left.min(right) >= length / 8;
            if left < right {
                self.sort(from, middle, limit);
                from = middle + 1;
            } else {
                self.sort(middle + 1, to, limit);
                to = middle;
            }
        }
    }

    fn insert(&mut self, from: usize, to: usize) {
        for i in from + 1..to {
            let mut j = i;
            while j > from && self.less(j, j - 1) {
                self.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn heap(&mut self, from: usize, to: usize) {
        let length = to - from;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift(root, length, from);
        }
        for end in (0..length).rev() {
            self.swap(from, from + end);
            self.sift(0, end, from);
        }
    }

    fn sift(&mut self, mut root: usize, end: usize, from: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && self.less(from + child, from + child + 1) {
                child += 1;
            }
            if !self.less(from + root, from + child) {
                return;
            }
            self.swap(from + root, from + child);
            root = child;
        }
    }

    /// Puts what is smaller than the pivot before it and the others behind it; tells whether they stood so already.
    fn partition(&mut self, from: usize, to: usize, pivot: usize) -> (usize, bool) {
        self.swap(from, pivot);
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
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
        self.swap(j, from);
        (j, already)
    }

    /// Puts what equals the pivot first; nothing is smaller.
    fn partition_equal(&mut self, from: usize, to: usize, pivot: usize) -> usize {
        self.swap(from, pivot);
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
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Moves a few that stand wrong; tells whether that was enough.
    fn repair(&mut self, from: usize, to: usize) -> bool {
        let mut i = from + 1;
        for _ in 0..5 {
            while i < to && !self.less(i, i - 1) {
                i += 1;
            }
            if i == to {
                return true;
            }
            if to - from < LONG {
                return false;
            }
            self.swap(i, i - 1);
            if i - from >= 2 {
                for j in (1..i).rev() {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.swap(j, j - 1);
                }
            }
            if to - i >= 2 {
                for j in i + 1..to {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.swap(j, j - 1);
                }
            }
        }
        false
    }

    fn break_patterns(&mut self, from: usize, to: usize) {
        let length = to - from;
        let mut random = length as u64;
        let modulus = 1_u64 << bits(length);
        let middle = from + (length / 4) * 2;
        let (right, left) = match self.go {
            Go::V1_23 => (17, 5),
            Go::V1_24 => (7, 17),
        };
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> right;
            random ^= random << left;
            let other = usize::try_from(random & (modulus - 1)).unwrap_or_default();
            let other = if other >= length { other - length } else { other };
            self.swap(at, from + other);
        }
    }

    fn pivot(&self, from: usize, to: usize) -> (usize, Hint) {
        let length = to - from;
        let mut swaps = 0;
        let [mut i, mut j, mut k] = [1, 2, 3].map(|quarter| from + length / 4 * quarter);
        if length >= LONG {
            for at in [&mut i, &mut j, &mut k] {
                *at = self.median([*at - 1, *at, *at + 1], &mut swaps);
            }
        }
        let pivot = self.median([i, j, k], &mut swaps);
        match swaps {
            0 => (pivot, Hint::Increasing),
            12 => (pivot, Hint::Decreasing),
            _ => (pivot, Hint::Unknown),
        }
    }

    fn median(&self, [a, b, c]: [usize; 3], swaps: &mut u32) -> usize {
        let mut order = |a: usize, b: usize| {
            if self.less(b, a) {
                *swaps += 1;
                return (b, a);
            }
            (a, b)
        };
        let (a, b) = order(a, b);
        let (b, _) = order(b, c);
        order(a, b).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorts by the first number and hashes (FNV-1a) the second ones, which tell where each came from.
    fn order(mut list: Vec<(u64, u64)>) -> u64 {
        sort(Go::V1_24, &mut list, |a, b| a.0 < b.0);
        list.iter().fold(0xcbf2_9ce4_8422_2325, |hash, it| (hash ^ it.1).wrapping_mul(0x0100_0000_01b3))
    }

    /// As `sort.Slice` of Go 1.24.11 leaves them.
    #[test]
    fn equals_end_where_go_leaves_them() {
        let cases: [(u64, u64, u64); 24] = [
            (12, 1, 0x2d7d_4819_416d_7fb9),
            (12, 2, 0x051a_3467_8952_abd9),
            (12, 7, 0x8c1f_9b3b_d4d4_b647),
            (12, 1000, 0x7a3c_b929_529a_e467),
            (13, 1, 0xb961_37ea_2d10_008f),
            (13, 2, 0xb56a_3bef_b8a0_e983),
            (13, 7, 0x37c6_bd64_d253_356f),
            (13, 1000, 0x1d16_30a0_8ee5_37d9),
            (30, 1, 0x0e70_7b5c_91a8_4776),
            (30, 2, 0x4d80_4018_493a_91d8),
            (30, 7, 0x557b_6fa7_4b18_3e5a),
            (30, 1000, 0x3601_515c_692c_b7e2),
            (49, 1, 0x360a_5c9d_3b1b_f95f),
            (49, 2, 0xe865_1d00_2b7f_84af),
            (49, 7, 0xe98a_4de3_00d1_5a8b),
            (49, 1000, 0x7ffb_af19_1059_a023),
            (64, 1, 0x8368_214f_7799_5ee5),
            (64, 2, 0x75a7_0b05_839f_2191),
            (64, 7, 0x6c8b_5902_3451_f1b3),
            (64, 1000, 0xf1cc_81b0_1dc4_4541),
            (200, 1, 0x43cf_a802_3695_d3bd),
            (200, 2, 0x565f_0633_57f0_2d69),
            (200, 7, 0xf0e0_bb6e_b93a_d0bb),
            (200, 1000, 0x9357_f548_a6be_13c9),
        ];
        for (length, values, wanted) in cases {
            let mut x = length * 1000 + values;
            let mut next = |at| {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((x >> 33) % values, at)
            };
            assert_eq!(order((0..length).map(&mut next).collect()), wanted, "{length} of {values}");
        }
    }

    /// As `sort.Slice` of Go 1.24.11 leaves them.
    #[test]
    fn stairs_and_pipes_are_taken_as_go_takes_them() {
        let stairs = |length: u64| order((0..length).map(|at| ((length - at) / 3, at)).collect());
        let pipe = |length: u64| {
            order((0..length).map(|at| (if at > length / 2 { length - at } else { at }, at)).collect())
        };
        assert_eq!([stairs(60), pipe(60)], [0x0be2_143e_ce70_012d, 0xebe5_7162_90b3_cec3]);
        assert_eq!([stairs(100), pipe(100)], [0xf982_ab22_ba26_9df5, 0x5487_5710_dbaf_e03f]);
    }

    /// The places of `count` elements after they were sorted by `key`.
    fn sorted(count: usize, key: impl Fn(usize) -> usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..count).collect();
        sort(Go::V1_23, &mut places, |a, b| key(*a) < key(*b));
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
