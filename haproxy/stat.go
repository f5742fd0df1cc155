package haproxy

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// StatType is what a line of `show stat` is about.
type StatType int

// The types, as the column "type" numbers them (Management Guide, section 9.1, field 32).
const (
	Frontend StatType = 0
	Backend  StatType = 1
	Server   StatType = 2
	Socket   StatType = 3
)

// String returns the type's name in lower case.
func (t StatType) String() string {
	switch t {
	case Frontend:
		return "frontend"
	case Backend:
		return "backend"
	case Server:
		return "server"
	case Socket:
		return "socket"
	}
	return "StatType(" + strconv.Itoa(int(t)) + ")"
}

// Stat is a line of `show stat`: a frontend, a backend, a server or a listening socket. A field
// that does not apply is zero.
type Stat struct {
	// Proxy and Service are the columns pxname and svname. Service is FRONTEND, BACKEND, or the
	// name of a server or socket.
	Proxy, Service string
	Type           StatType
	// Status is the state in HAProxy's words: OPEN, UP, UP 1/3, DOWN, DOWN 1/2, NOLB, DRAIN, MAINT,
	// MAINT (via b/s), no check …
	Status string
	// Mode is http, tcp …
	Mode string
	// Addr is a server's or socket's address.
	Addr string
	// Scur, Smax and Slim are the open sessions, the most there have been, and the limit (0: none).
	Scur, Smax, Slim int
	// Stot, Bin and Bout count sessions and bytes since the process started.
	Stot, Bin, Bout int64
	// Weight is a server's weight, or a backend's sum of weights.
	Weight int
	// LastChange is the time since the state last changed.
	LastChange time.Duration
	// CheckStatus and LastCheck are the last health check's outcome: a word such as L4CON, and a
	// text.
	CheckStatus, LastCheck string
}

// Up reports whether a server gets new traffic: it passes its checks, or has none, and nobody took
// it out of service. A server that has begun to fail ("UP 1/3") is up until it is down.
func (s Stat) Up() bool {
	return s.Status == "no check" || s.Status == "UP" || strings.HasPrefix(s.Status, "UP ")
}

// Drained reports whether a server was taken out of service on purpose: it serves only its existing
// clients (DRAIN, NOLB) or nobody (MAINT).
func (s Stat) Drained() bool {
	word, _, _ := strings.Cut(s.Status, " ")
	return word == "DRAIN" || word == "NOLB" || word == "MAINT"
}

// Stats queries `show stat`: every frontend, backend, server and, if `option socket-stats` is set,
// listening socket.
func (r Runtime) Stats(ctx context.Context) ([]Stat, error) {
	answer, err := ask(ctx, r.Path, "show stat")
	if err != nil {
		return nil, err
	}
	stats, err := parseStats(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: show stat: %w", r.Path, err)
	}
	return stats, nil
}

// Servers queries only the process and its servers, in one exchange, which is cheap enough for a
// frequent check.
func (r Runtime) Servers(ctx context.Context) (Info, []Stat, error) {
	// any proxy, type mask 4: servers, any server
	answer, err := ask(ctx, r.Path, "show info;show stat -1 4 -1")
	if err != nil {
		return Info{}, nil, err
	}
	// Each answer ends with an empty line.
	first, second, ok := strings.Cut(answer, "\n\n")
	if !ok {
		return Info{}, nil, fmt.Errorf("%s: show info and show stat: one answer instead of two: %s",
			r.Path, excerpt(answer))
	}
	info, err := parseInfo(first)
	if err != nil {
		return Info{}, nil, fmt.Errorf("%s: show info: %w", r.Path, err)
	}
	stats, err := parseStats(second)
	if err != nil {
		return Info{}, nil, fmt.Errorf("%s: show stat: %w", r.Path, err)
	}
	return info, stats, nil
}

// parseStats reads the CSV of `show stat`. The columns are found by the names in its first line, "#
// pxname,svname,…", because each version of HAProxy adds some.
func parseStats(answer string) ([]Stat, error) {
	answer = strings.TrimSpace(answer)
	head, ok := strings.CutPrefix(answer, "# ")
	if !ok {
		return nil, fmt.Errorf("no header in the answer %s", excerpt(answer))
	}
	r := csv.NewReader(strings.NewReader(head))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	r.ReuseRecord = true
	names, err := r.Read()
	if err != nil {
		return nil, err
	}
	columns := make(map[string]int, len(names))
	for i, name := range names {
		columns[name] = i
	}
	for _, name := range []string{"pxname", "svname", "status", "type"} {
		if _, ok := columns[name]; !ok {
			return nil, fmt.Errorf("no column %s in the answer %s", name, excerpt(answer))
		}
	}

	var stats []Stat
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return stats, nil
		}
		if err != nil {
			return nil, err
		}
		row := statRow{columns: columns, record: record}
		s := Stat{
			Proxy: row.text("pxname"), Service: row.text("svname"),
			Type:   StatType(row.number("type")),
			Status: row.text("status"), Mode: row.text("mode"), Addr: row.text("addr"),
			Scur: int(row.number("scur")), Smax: int(row.number("smax")),
			Slim: int(row.number("slim")),
			Stot: row.number("stot"), Bin: row.number("bin"), Bout: row.number("bout"),
			Weight:     int(row.number("weight")),
			LastChange: time.Duration(row.number("lastchg")) * time.Second,
			// the star: a check is under way
			CheckStatus: strings.TrimPrefix(row.text("check_status"), "* "),
			LastCheck:   row.text("last_chk"),
		}
		if s.Proxy == "" || s.Service == "" || row.text("type") == "" {
			row.fail(fmt.Errorf("a line without a name or a type: %s",
				excerpt(strings.Join(record, ","))))
		}
		if row.err != nil {
			return nil, row.err
		}
		stats = append(stats, s)
	}
}

// statRow is a line of the CSV; err keeps the first thing wrong with it.
type statRow struct {
	columns map[string]int
	record  []string
	err     error
}

func (r *statRow) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// text returns a column's text, "" if the column is missing.
func (r *statRow) text(name string) string {
	i, ok := r.columns[name]
	if !ok || i >= len(r.record) {
		return ""
	}
	return r.record[i]
}

// number returns a column's number, 0 if the column is empty or missing.
func (r *statRow) number(name string) int64 {
	text := r.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.fail(fmt.Errorf("column %s is %q, which is not a number", name, text))
	}
	return n
}
