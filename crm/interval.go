package crm

import (
	"errors"
	"time"
)

// ParseInterval reads a length of time as Pacemaker does: 15 and 15s are the same. A duration of
// ISO 8601 is an error here, although Pacemaker takes it.
func ParseInterval(s string) (time.Duration, error) {
	d, err := parseInterval(s)
	if err == nil && d < 0 {
		err = errors.New("is an ISO 8601 time, which is not supported here")
	}
	return d, err
}
