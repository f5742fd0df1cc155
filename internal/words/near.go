// Package words has what messages for people need: a number of things, and the word that somebody
// probably meant when they typed another. It imports nothing of ours. Start anywhere.
package words

import "strings"

// Near reports whether one word may be a typo of the other: they differ by one letter (added, left
// out, replaced), by two neighbours that are exchanged, or by - and _. Upper and lower case are the
// same.
func Near(a, b string) bool {
	a, b = strings.ReplaceAll(strings.ToLower(a), "-", "_"), strings.ReplaceAll(strings.ToLower(b), "-", "_")
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(a) || a[i+1:] == b[i+1:] ||
			i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	}
	return a[i:] == b[i+1:]
}
