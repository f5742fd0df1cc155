package param

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MostWellAfter is how many times ParseWellAfter takes: each is a node attribute.
const MostWellAfter = 16

// ParseWellAfter reads times in whole seconds with white space between them, such as "60s 5m", and
// returns them without repetitions, the shortest first.
func ParseWellAfter(text string) ([]time.Duration, error) {
	var all []time.Duration
	for word := range strings.FieldsSeq(text) {
		d, err := ParseDuration(word)
		if err != nil {
			return nil, fmt.Errorf("has %q, which %w", word, err)
		}
		if d < time.Second || d%time.Second != 0 {
			return nil, fmt.Errorf("has %q where a time of whole seconds is expected, such as 60s or 5m",
				word)
		}
		all = append(all, d)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > MostWellAfter {
		return nil, errors.New("has too many times: at most 16 are possible")
	}
	return all, nil
}
