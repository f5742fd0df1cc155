package words

import (
	"fmt"
	"time"
)

// Since is a time of day and how long ago that was.
func Since(word string, t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	layout := "15:04:05"
	ago := now.Sub(*t)
	if ago > 20*time.Hour || ago < -time.Minute {
		layout = "2006-01-02 15:04:05"
	}
	return fmt.Sprintf("%s%s (%s)", word, t.Local().Format(layout), Rough(ago))
}

// Rough is a length of time in its two largest units.
func Rough(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	day := 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
