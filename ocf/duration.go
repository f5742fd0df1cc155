package ocf

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are the suffixes that Pacemaker takes for a length of time (Pacemaker Explained, "Time specification"); a bare number
// is in seconds.
var units = map[string]time.Duration{
	"us": time.Microsecond, "usec": time.Microsecond,
	"ms": time.Millisecond, "msec": time.Millisecond,
	"": time.Second, "s": time.Second, "sec": time.Second,
	"m": time.Minute, "min": time.Minute,
	"h": time.Hour, "hr": time.Hour,
}

// ParseDuration reads a length of time as Pacemaker does: a whole number with an optional unit us, ms, s, m or h (also usec,
// msec, sec, min, hr); without a unit it is in seconds. Negative lengths are refused.
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	unit, ok := units[strings.ToLower(strings.TrimSpace(text[end:]))]
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil || !ok {
		return 0, errors.New("is not a length of time: write a whole number and a unit, such as 500ms, 15s or 2m")
	}
	if n > math.MaxInt64/int64(unit) {
		return 0, errors.New("is too long a time")
	}
	return time.Duration(n) * unit, nil
}

// FormatDuration writes a length of time so that ParseDuration and Pacemaker read it back: in seconds where it is a whole number
// of them, else in milliseconds.
func FormatDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
