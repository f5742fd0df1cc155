package corosync

import (
	"context"
	"strings"
)

// QDevice is what the corosync-qdevice of a node says about itself.
type QDevice struct {
	// State is "Connected" if it hears from its server. Host is the server with its port.
	State, Host string
	// Algorithm is in the tool's words, such as "Fifty-Fifty split".
	Algorithm string
	// KeepActive is what it says of keep_active_partition_tie_breaker, "" if it has never heard of
	// it: corosync-qdevice has it since 3.0.1.
	KeepActive string
	// TLS is what it says of the connection's encryption.
	TLS string
}

// Connected says whether it hears from its server.
func (q QDevice) Connected() bool { return q.State == "Connected" }

// Split says whether the algorithm is the one that a tie breaker decides.
func (q QDevice) Split() bool { return strings.HasPrefix(q.Algorithm, "Fifty-Fifty") }

// AskQDevice asks the corosync-qdevice of this node. The error is ErrNotRunning if none answers.
func AskQDevice(ctx context.Context) (QDevice, error) {
	text, err := ask(ctx, "corosync-qdevice-tool", "-s")
	if err != nil {
		return QDevice{}, err
	}
	return ParseQDevice(text), nil
}

// ParseQDevice reads what `corosync-qdevice-tool -s` prints.
func ParseQDevice(text string) QDevice {
	var q QDevice
	fields := map[string]*string{
		"State": &q.State, "QNetd host": &q.Host, "Algorithm": &q.Algorithm,
		"KAP Tie-breaker": &q.KeepActive, "TLS active": &q.TLS,
	}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, ":")
		if field := fields[strings.TrimSpace(name)]; ok && field != nil {
			*field = strings.TrimSpace(value)
		}
	}
	return q
}
