package haproxy

import (
	"context"
	"fmt"
)

// OldWorker is a worker from before a reload: it accepts no more connections, and ends with its
// last one or at hard-stop-after.
type OldWorker struct {
	Proc
	// Conns are the clients' connections that it still serves.
	Conns int
}

// OldWorkers asks the master for its old workers, and each of them for its connections (Management
// Guide, section 9.4, "@!<pid>"). One that ends meanwhile is left out.
func (m Master) OldWorkers(ctx context.Context) ([]OldWorker, error) {
	procs, err := m.Procs(ctx)
	if err != nil {
		return nil, err
	}
	var old []OldWorker
	for _, p := range procs.OldWorkers {
		answer, err := ask(ctx, m.Path, fmt.Sprintf("@!%d show info;quit", p.PID))
		if ctx.Err() != nil {
			return nil, err
		}
		info, wrong := parseInfo(answer)
		if err != nil || wrong != nil || info.Pid != p.PID {
			// the master forgets a worker that has ended, and the answer might come from another
			// process
			continue
		}
		old = append(old, OldWorker{Proc: p, Conns: info.CurrConns})
	}
	return old, nil
}
