package host

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Failover says how long a lost node is missed: with the times that Corosync has in force here, or
// else, and if a file or a number of nodes is given, with those of its configuration.
func (h *Host) Failover(ctx context.Context, file string, nodes int) (*corosync.Failover, error) {
	asked := file == "" && nodes == 0
	var e corosync.Effective
	askErr := errors.New("not asked")
	if asked {
		e, askErr = h.Timing(ctx)
		if askErr != nil && !errors.Is(askErr, corosync.ErrNotRunning) {
			if errors.Is(askErr, os.ErrPermission) {
				return nil, outcome.Errorf(outcome.Denied, "%w%s", askErr, outcome.AskRoot(h.Root))
			}
			return nil, askErr
		}
	}
	conf, err := CorosyncConf(file)
	if askErr == nil {
		r := corosync.FailoverOf("the running Corosync", e)
		r.Findings = append(r.Findings, h.inForce(e, conf, err == nil)...)
		return r, nil
	}
	if file == "" && errors.Is(err, os.ErrNotExist) {
		return nil, outcome.Errorf(outcome.Unavailable,
			"%w, and there is no %s: run this on a node of the cluster, or give --config", askErr,
			corosync.ConfFile)
	}
	if err != nil {
		return nil, err
	}
	if nodes > 0 {
		conf.Nodes = nodes
	}
	if conf.Nodes == 0 {
		return nil, outcome.Usagef("%s has no nodelist: give --nodes", confName(file))
	}
	if err := conf.Validate(conf.Nodes); err != nil {
		return nil, outcome.Usagef("%s: %w", confName(file), err)
	}
	e = conf.In(conf.Nodes)
	r := corosync.FailoverOf(confName(file), e)
	r.Findings = append(append(r.Findings, e.Findings()...), conf.Written()...)
	return r, nil
}

// inForce judges the times that a running Corosync has, beside those of its file if that is known.
func (h *Host) inForce(e corosync.Effective, conf corosync.Config, known bool) []corosync.Finding {
	findings := e.Findings()
	if realTime, found := corosync.RealTime(h.Proc); found && !realTime {
		findings = append(findings, corosync.Ordinary())
	}
	switch {
	case !known || conf.Nodes != e.Nodes:
	case conf.In(conf.Nodes) == e:
		findings = append(findings, conf.Written()...)
	default:
		findings = append(findings, corosync.Finding{
			Name: corosync.ConfFile,
			Text: "it says otherwise than what is in force: corosync-cfgtool -R on one node makes it so",
		})
	}
	return findings
}

func confName(file string) string {
	if file == "" {
		return corosync.ConfFile
	}
	return file
}

// CorosyncConf reads a configuration of Corosync, "" its usual one.
func CorosyncConf(file string) (corosync.Config, error) {
	file = confName(file)
	text, err := os.ReadFile(file)
	if err != nil {
		return corosync.Config{}, fmt.Errorf("read Corosync's configuration: %w", err)
	}
	conf, err := corosync.ParseConf(string(text))
	if err != nil {
		return corosync.Config{}, outcome.Usagef("%s: %w", file, err)
	}
	return conf, nil
}
