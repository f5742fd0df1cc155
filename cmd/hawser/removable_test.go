package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

func TestRemovable(t *testing.T) {
	stopped := func(s *crm.Status) {
		for i := range s.Resources {
			if s.Resources[i].Node == "lb-1" {
				s.Resources[i].Active, s.Resources[i].Node, s.Resources[i].Nodes = false, "", nil
			}
		}
	}
	for name, c := range map[string]struct {
		change    func(*crm.Status)
		err       error
		processes map[string]string
		linked    bool // ocf:heartbeat:haproxy is hawser's
		refused   []string
		warned    string
	}{
		"in use": {refused: []string{"in use on node lb-1: FloatIP (ocf:hawser:floatip), haproxy (ocf:hawser:haproxy)",
			"hawser standby $(crm_node -n) --yes\n", "hawser destroy"}},
		"in standby": {change: stopped},
		"unmanaged": {change: func(s *crm.Status) {
			for i := range s.Resources {
				s.Resources[i].Managed = false
			}
		}, refused: []string{"Pacemaker does not manage FloatIP, haproxy", "end the maintenance first"}},
		"by the name of a shell agent": {linked: true, change: func(s *crm.Status) {
			for i := range s.Resources {
				s.Resources[i].Agent = "ocf:heartbeat:haproxy"
			}
		}, refused: []string{"haproxy (ocf:heartbeat:haproxy)"}},
		"somebody else's agent of that name": {change: func(s *crm.Status) {
			for i := range s.Resources {
				s.Resources[i].Agent = "ocf:heartbeat:haproxy"
			}
		}},
		"a fence device": {change: func(s *crm.Status) {
			stopped(s)
			s.Resources = append(s.Resources, crm.ResourceStatus{ID: "fence", Agent: "stonith:fence_droplet", Active: true, Managed: true, Node: "lb-1"})
		}, refused: []string{"fence (stonith:fence_droplet)"}},
		"the cluster has another name for this node": {change: func(s *crm.Status) {
			stopped(s)
			for i := range s.Nodes {
				s.Nodes[i].Name += ".example"
			}
		}, refused: []string{"no node called lb-1"}},
		"no Pacemaker":                   {err: fmt.Errorf("%w: no", crm.ErrNotInstalled)},
		"Pacemaker is stopped":           {err: fmt.Errorf("%w: no", crm.ErrNotRunning)},
		"Pacemaker is stopped, a keeper": {err: fmt.Errorf("%w: no", crm.ErrNotRunning), processes: map[string]string{"17": "hawser-keeper"}, warned: "process 17"},
		"Pacemaker does not answer": {err: fmt.Errorf("%w: no", crm.ErrNotRunning), processes: map[string]string{"17": "pacemaker-execd"},
			refused: []string{"cannot find out", "systemctl stop pacemaker"}},
		"Pacemaker is stopped, and somebody plays it": {err: fmt.Errorf("%w: no", crm.ErrNotRunning),
			processes: map[string]string{"17": "somebody's pacemaker-execd", "18": "somebody's hawser-keeper"}},
		"something else": {err: errors.New("broken"), refused: []string{"broken"}},
	} {
		t.Run(name, func(t *testing.T) {
			status := healthy()
			if c.change != nil {
				c.change(status)
			}
			sys, _, stderr := testSystem(t, &told{Fake: crmtest.New(), status: status, statusErr: c.err})
			sys.Agents, sys.Proc = t.TempDir(), t.TempDir()
			for pid, comm := range c.processes {
				require.NoError(t, os.Mkdir(filepath.Join(sys.Proc, pid), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(sys.Proc, pid, "comm"), []byte(comm+"\n"), 0o644))
				uid := "0"
				if comm, others := strings.CutPrefix(comm, "somebody's "); others {
					uid = "33"
					require.NoError(t, os.WriteFile(filepath.Join(sys.Proc, pid, "comm"), []byte(comm+"\n"), 0o644))
				}
				require.NoError(t, os.WriteFile(filepath.Join(sys.Proc, pid, "status"), []byte("\nUid:\t"+uid+"\t"+uid+"\t"+uid+"\t"+uid+"\n"), 0o644))
			}
			require.NoError(t, os.Mkdir(filepath.Join(sys.Agents, "heartbeat"), 0o755))
			at := filepath.Join(sys.Agents, "heartbeat", "haproxy")
			if c.linked {
				require.NoError(t, os.Symlink("../hawser/haproxy", at))
			} else {
				require.NoError(t, os.WriteFile(at, nil, 0o755))
			}
			err := newApp(sys).Run([]string{"hawser", "removable"})
			code := exitCode(err)
			if err != nil {
				sys.complain(err, "")
			}
			if len(c.refused) == 0 {
				require.Equal(t, exitOK, code, "%s", stderr)
			} else {
				require.Equal(t, exitFailed, code, "%s", stderr)
			}
			for _, said := range c.refused {
				require.Contains(t, stderr.String(), said)
			}
			require.Contains(t, stderr.String(), c.warned)
		})
	}
}
