package haproxy

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Runtime is the stats socket of a HAProxy process.
type Runtime struct {
	// Path is the socket's path.
	Path string
}

// Info is what `show info` says about a process. A field that this HAProxy does not know is zero.
type Info struct {
	Name, Version string
	// Pid is the process that answered: the worker, in master-worker mode.
	Pid int
	// Uptime is the time since this process started, which in master-worker mode is the time since
	// the last reload.
	Uptime time.Duration
	// CurrConns and MaxConn are the open client connections and their limit.
	CurrConns, MaxConn int
	// CumConns and CumReq count the connections and requests since the process started.
	CumConns, CumReq int64
	// Stopping is whether the process accepts no more connections and ends with its last one.
	Stopping bool
	// Listeners is the number of sockets on which the process listens, its stats sockets included.
	Listeners int
	// IdlePct is the percentage of time in which the process had nothing to do.
	IdlePct int
	// Node is the `node` of the configuration, by default the host's name.
	Node string
}

// Info queries `show info`.
func (r Runtime) Info(ctx context.Context) (Info, error) {
	answer, err := ask(ctx, r.Path, "show info")
	if err != nil {
		return Info{}, err
	}
	info, err := parseInfo(answer)
	if err != nil {
		return Info{}, fmt.Errorf("%s: show info: %w", r.Path, err)
	}
	return info, nil
}

// parseInfo reads the "Name: value" lines of `show info`.
func parseInfo(answer string) (Info, error) {
	var info Info
	for line := range strings.Lines(answer) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		var err error
		switch key {
		case "Name":
			info.Name = value
		case "Version":
			info.Version = value
		case "node":
			info.Node = value
		case "Pid":
			info.Pid, err = strconv.Atoi(value)
		case "Uptime_sec":
			var seconds int64
			seconds, err = strconv.ParseInt(value, 10, 64)
			info.Uptime = time.Duration(seconds) * time.Second
		case "CurrConns":
			info.CurrConns, err = strconv.Atoi(value)
		case "Maxconn":
			info.MaxConn, err = strconv.Atoi(value)
		case "CumConns":
			info.CumConns, err = strconv.ParseInt(value, 10, 64)
		case "CumReq":
			info.CumReq, err = strconv.ParseInt(value, 10, 64)
		case "Stopping":
			info.Stopping = value != "0"
		case "Listeners":
			info.Listeners, err = strconv.Atoi(value)
		case "Idle_pct":
			info.IdlePct, err = strconv.Atoi(value)
		}
		if err != nil {
			return Info{}, fmt.Errorf("%s is %q, which is not a number", key, value)
		}
	}
	if info.Pid <= 0 {
		return Info{}, fmt.Errorf("no process id in the answer %s", excerpt(answer))
	}
	return info, nil
}

// excerpt returns the beginning of an answer, quoted, for an error.
func excerpt(answer string) string {
	const most = 80
	answer = strings.TrimSpace(answer)
	if len(answer) > most {
		return strconv.Quote(answer[:most]) + " …"
	}
	return strconv.Quote(answer)
}
