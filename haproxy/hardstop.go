package haproxy

import (
	"strconv"
	"strings"
	"time"
)

// HardStop returns how long a worker from before a reload may go on serving its last connections
// (hard-stop-after in the section global), and whether the configuration says so.
func HardStop(sources []Source, getenv func(string) string) (time.Duration, bool) {
	var limit time.Duration
	said := false
	for l := range linesOf(sources, getenv) {
		if len(l.words) < 2 || l.words[0] != "hard-stop-after" {
			continue
		}
		if d, ok := parseTime(l.words[1]); ok {
			limit, said = d, true
		}
	}
	return limit, said
}

// parseTime reads a time of the configuration: a whole number with us, ms, s, m, h or d behind it,
// or nothing for ms (Configuration Manual, section 2.5).
func parseTime(text string) (time.Duration, bool) {
	number := strings.TrimRight(text, "usmhd")
	unit, ok := map[string]time.Duration{"us": time.Microsecond, "": time.Millisecond,
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour}[text[len(number):]]
	n, err := strconv.ParseInt(number, 10, 32)
	if !ok || err != nil || n < 0 {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
