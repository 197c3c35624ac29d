package tags

import "strings"

// Suggest returns the known word that was probably meant by an unknown one:
// the nearest by insertions, deletions, replacements and swaps of neighbours,
// the case of letters aside. There is none if the word is known, or nothing is
// near: one slip is allowed in a word of up to five letters, two in longer
// ones, three from ten on, and never as many as the word has letters. Of equally near
// ones the first in the order of known wins.
func Suggest(word string, known []string) (string, bool) {
	best, found := "", false
	limit := slips(len(word))
	for _, k := range known {
		if k == word {
			return "", false
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k), limit); d <= limit {
			best, found = k, true
			limit = d - 1
		}
	}
	return best, found
}

func slips(n int) int {
	switch {
	case n <= 1:
		return 0
	case n <= 5:
		return 1
	case n < 10:
		return 2
	}
	return 3
}

// distance is the optimal string alignment distance, or any number above limit
// when it is more than that. It compares bytes: tags and flags are ASCII in
// practice, and a letter outside ASCII then merely counts more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	// Three rows suffice: a swap of neighbours looks two rows back.
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}
