package param

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// unit returns the length of a unit that Pacemaker accepts in a length of time (Pacemaker
// Explained, "Time specification"); a bare number is in seconds.
func unit(suffix string) (time.Duration, bool) {
	switch strings.ToLower(suffix) {
	case "us", "usec":
		return time.Microsecond, true
	case "ms", "msec":
		return time.Millisecond, true
	case "", "s", "sec":
		return time.Second, true
	case "m", "min":
		return time.Minute, true
	case "h", "hr":
		return time.Hour, true
	}
	return 0, false
}

// ParseDuration reads a length of time as Pacemaker does: a whole number with an optional unit us,
// ms, s, m or h (also usec, msec, sec, min, hr); without a unit it is in seconds. Negative lengths
// are refused.
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	length, ok := unit(strings.TrimSpace(text[end:]))
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil || !ok {
		return 0, errors.New("is not a length of time: write a whole number and a unit, such as " +
			"500ms, 15s or 2m")
	}
	if n > math.MaxInt64/int64(length) {
		return 0, errors.New("is too long a time")
	}
	return time.Duration(n) * length, nil
}

// FormatDuration writes a length of time so that ParseDuration and Pacemaker read it back: in
// seconds if it is a whole number of them, else in milliseconds.
func FormatDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

// Duration binds a length of time, as ParseDuration reads it.
func Duration(p *time.Duration, def time.Duration) Value {
	*p = def
	return bind("string", FormatDuration(def), p, ParseDuration)
}

// The shortest and the longest time for which HAProxy may be silent.
const (
	ShortestHang = time.Second
	LongestHang  = 10 * time.Minute
)

// ParseHangTime reads how long HAProxy may be silent.
func ParseHangTime(text string) (time.Duration, error) {
	return within(text, ShortestHang, LongestHang)
}

// HangTime binds a length of time, as ParseHangTime reads it.
func HangTime(p *time.Duration, def time.Duration) Value {
	*p = def
	return bind("string", FormatDuration(def), p, ParseHangTime)
}

// ParseSeconds reads a length of time as fence agents accept it: a number of seconds, possibly a
// fraction, at most a day; "40s" is accepted too.
func ParseSeconds(text string) (time.Duration, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
	if err != nil || !(n >= 0 && n <= 86400) { // NaN is not
		return 0, errors.New("is not a number of seconds from 0 to 86400")
	}
	return time.Duration(n * float64(time.Second)), nil
}

// Seconds binds a length of time, as ParseSeconds reads it.
func Seconds(p *time.Duration, def time.Duration) Value {
	*p = def
	return bind("second", strconv.FormatFloat(def.Seconds(), 'f', -1, 64), p, ParseSeconds)
}
