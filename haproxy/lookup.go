package haproxy

import (
	"slices"
	"strconv"
	"strings"
)

// Pidfile returns the configuration's own pidfile, "" if it has none, or if that is not sure.
func Pidfile(sources []Source, getenv func(string) string) string {
	path := ""
	for l := range linesOf(sources, getenv) {
		if l.words[0] == "pidfile" && len(l.words) > 1 {
			if path = l.words[1]; l.conditional || !sure(path) {
				path = ""
			}
		}
	}
	return path
}

// Says reports whether a line of the configuration begins with the keyword, such as quiet. HAProxy
// may pass the line over (.if).
func Says(sources []Source, keyword string) bool {
	for l := range linesOf(sources, func(string) string { return "" }) {
		if l.words[0] == keyword {
			return true
		}
	}
	return false
}

// StreamLogs returns where the configuration logs to HAProxy's standard streams: "log stdout
// (FILE:LINE)".
func StreamLogs(sources []Source, getenv func(string) string) []string {
	var all []string
	for l := range linesOf(sources, getenv) {
		if len(l.words) > 1 && l.words[0] == "log" &&
			slices.Contains([]string{"stdout", "stderr", "fd@1", "fd@2"}, l.words[1]) {
			all = append(all, "log "+l.words[1]+" ("+l.file+":"+strconv.Itoa(l.number)+")")
		}
	}
	return all
}

// StatsSocket is a stats socket of a configuration.
type StatsSocket struct {
	Path string `json:"path"`
	// User and Group are whether the configuration says to whom it belongs.
	User  bool `json:"user,omitempty"`
	Group bool `json:"group,omitempty"`
}

// StatsSockets returns the configuration's own stats sockets that have a path.
func StatsSockets(sources []Source, getenv func(string) string) []StatsSocket {
	var all []StatsSocket
	for l := range linesOf(sources, getenv) {
		if len(l.words) < 3 || l.words[0] != "stats" || l.words[1] != "socket" {
			continue
		}
		path, options := strings.TrimPrefix(l.words[2], "unix@"), l.words[3:]
		if strings.HasPrefix(path, "/") && sure(path) {
			all = append(all, StatsSocket{path,
				slices.Contains(options, "user") || slices.Contains(options, "uid"),
				slices.Contains(options, "group") || slices.Contains(options, "gid")})
		}
	}
	return all
}

// StatsMaxConn returns the configuration's own limit of connections of all stats sockets together,
// and whether it has one. Of several it is the largest: any may be passed over (.if).
func StatsMaxConn(sources []Source, getenv func(string) string) (most int, given bool) {
	for l := range linesOf(sources, getenv) {
		if len(l.words) > 2 && l.words[0] == "stats" && l.words[1] == "maxconn" {
			if n, err := strconv.Atoi(l.words[2]); err == nil && n > 0 {
				most, given = max(most, n), true
			}
		}
	}
	return most, given
}

// Chroots returns the directories to which HAProxy may change its root.
func Chroots(sources []Source, getenv func(string) string) []string {
	var all []string
	for l := range linesOf(sources, getenv) {
		if l.words[0] == "chroot" && len(l.words) > 1 && !l.conditional && sure(l.words[1]) {
			all = append(all, l.words[1])
		}
	}
	return all
}

// MaxConn returns the global maxconn, 0 if there is none or it is not sure.
func MaxConn(sources []Source, getenv func(string) string) int {
	most, global, unsure := 0, false, false
	for l := range linesOf(sources, getenv) {
		switch {
		case l.words[0] == "global":
			global = true
		case slices.Contains(sections(), l.words[0]):
			global = false
		case global && l.words[0] == "maxconn" && len(l.words) > 1:
			n, err := strconv.Atoi(l.words[1])
			most, unsure = n, unsure || l.conditional || err != nil
		}
	}
	if unsure {
		return 0
	}
	return most
}
