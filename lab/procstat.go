package lab

import (
	"fmt"
	"strconv"
	"strings"
)

// parseStat reads the start time (in clock ticks since the machine's boot) and the state out of /proc/PID/stat (proc(5)). The second field, the
// program's name in parentheses, may hold spaces and parentheses itself.
func parseStat(pid int, stat string) (start uint64, state string, err error) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, "", fmt.Errorf("lab: /proc/%d/stat: no program name in %q", pid, stat)
	}
	fields := strings.Fields(stat[end+1:])
	const startField = 22 - 3 // the first of these is the file's third
	if len(fields) <= startField {
		return 0, "", fmt.Errorf("lab: /proc/%d/stat: only %d fields after the name", pid, len(fields))
	}
	n, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return 0, "", fmt.Errorf("lab: /proc/%d/stat: start time: %w", pid, err)
	}
	return n, fields[0], nil
}
