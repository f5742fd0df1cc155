package haproxy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// toolsVariable tells the keeper of a test where its cluster is.
const toolsVariable = "PCMK_hawser_test_tools"

// keepVariable tells the keeper of a test how long it may take to bring HAProxy back.
const keepVariable = "PCMK_hawser_test_keep"

// fakeTools are Pacemaker's tools as a test's cluster has them, in its directory.
func fakeTools(dir string) pacemaker.Tools {
	in := func(name string) string { return filepath.Join(dir, name) }
	t := pacemaker.Installed()
	t.AttrdUpdater, t.CrmMon, t.CrmNode = in("attrd_updater"), in("crm_mon"), in("crm_node")
	t.CrmSimulate, t.CrmResource = in("crm_simulate"), in("crm_resource")
	t.Cibadmin, t.Hawser = in("cibadmin"), in("hawser")
	return t
}

// newKeptWorld returns a HAProxy with a keeper, in a cluster that does what the file "cluster"
// says: managed, unmanaged, down, hang.
func newKeptWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	t.Setenv(toolsVariable, w.dir)
	w.write("attrd_updater", fmt.Sprintf("#!/bin/sh\necho \"$*\" >>%s\n", w.path("attributes")))
	w.write("crm_resource", fmt.Sprintf("#!/bin/sh\necho \"$*\" >>%s\n", w.path("told")))
	w.write("crm_simulate", fmt.Sprintf("#!/bin/sh\ncat %s\n", w.path("simulated.xml")))
	w.write("crm_mon", fmt.Sprintf(`#!/bin/sh
case $(cat %s) in
down) echo "Connection to cluster failed" >&2; exit 102;;
hang) exec sleep 60;;
managed) managed=true;;
*) managed=false;;
esac
echo "<pacemaker-result><resources><clone id='c'><resource id='test' role='Started' managed='$managed'><node name='here'/></resource></clone></resources></pacemaker-result>"
`, w.path("cluster")))
	w.cluster("managed")
	w.r = w.r.With("keeper", "true")
	w.r.Env["OCF_RESKEY_CRM_meta_on_node"] = "here"
	w.r.Env["HA_LOGFILE"] = w.path("log")
	t.Cleanup(func() {
		w.want(ocf.Success, w.r.Stop())
		fam, err := w.instance().Keepers()
		require.NoError(t, err)
		require.True(t, fam.Empty(), "a keeper outlives the stop: %s", fam)
		if t.Failed() {
			text, _ := os.ReadFile(w.path("log"))
			t.Log(string(text))
		}
	})
	return w
}

func (w *world) cluster(does string) { w.write("cluster", does+"\n") }

// simulate has the scheduler say whether the resource will run here after the transition.
func (w *world) simulate(runs bool) {
	role := map[bool]string{true: "Started", false: "Stopped"}[runs]
	w.write("simulated.xml", fmt.Sprintf(`<pacemaker-result><cluster_status><resources><resource id="test" role="Stopping"><node name="here"/></resource></resources>
</cluster_status><revised_cluster_status><resources><clone id="c"><resource id="test" role="%s"><node name="here"/></resource></clone></resources>
</revised_cluster_status></pacemaker-result>`, role))
}

// eventually waits for something that is about to happen.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	require.Eventually(w.t, is, 15*time.Second, 2*time.Millisecond, what)
}

// keepers returns the process ids of the keeper and its standby.
func (w *world) keepers() (keeper, standby []int) {
	fam, err := w.instance().Keepers()
	require.NoError(w.t, err)
	for _, m := range fam.All() {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", m.PID))
		switch strings.TrimSpace(string(comm)) {
		case contract.StandbyProcess:
			standby = append(standby, m.PID)
		case contract.KeeperProcess:
			keeper = append(keeper, m.PID)
		}
	}
	return keeper, standby
}

// guarded starts, and waits until the keeper holds the sockets and has a standby.
func (w *world) guarded() {
	w.t.Helper()
	w.start()
	w.guards()
}

func (w *world) guards() {
	w.t.Helper()
	w.eventually("the keeper holds the sockets", func() bool {
		answer, err := w.instance().AskKeeper(w.t.Context(), "held")
		keeper, standby := w.keepers()
		return err == nil && answer != "0" && len(keeper) == 1 && len(standby) == 1
	})
}

func (w *world) state() instance.State {
	s, _ := w.instance().Load()
	return s
}

func (w *world) told() string { text, _ := os.ReadFile(w.path("told")); return string(text) }

// toll is what became of the clients of a load.
type toll struct {
	served, refused, lost int
	longest               time.Duration
	errors                []error
}

// load has some clients ask, each with a connection of its own for each request, until the function
// is called.
func (w *world) load() (end func() toll) {
	var t toll
	var mu sync.Mutex
	var done sync.WaitGroup
	var over atomic.Bool
	for range 4 {
		done.Go(func() {
			for !over.Load() {
				began := time.Now()
				err := w.get()
				mu.Lock()
				t.longest = max(t.longest, time.Since(began))
				switch {
				case err == nil:
					t.served++
				case errors.Is(err, syscall.ECONNREFUSED):
					t.refused++
				default:
					t.lost++
					t.errors = append(t.errors, err)
				}
				mu.Unlock()
			}
		})
	}
	return func() toll { over.Store(true); done.Wait(); return t }
}
