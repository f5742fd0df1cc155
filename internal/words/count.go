package words

import (
	"fmt"
	"time"
)

// Count is a number of things: "1 server", "2 servers".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// OrNone is the value, or "(none)" where there is none.
func OrNone(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

// OldWorkers says how many workers of HAProxy from before a reload still have connections, and how
// long they may go on with them, nil where that is not known.
func OldWorkers(workers, connections int, left *time.Duration) string {
	limit := ""
	if left != nil {
		limit = ", cut in " + Rough(*left)
	}
	return fmt.Sprintf("%s draining (%s%s)", Count(workers, "old worker"),
		Count(connections, "connection"), limit)
}
