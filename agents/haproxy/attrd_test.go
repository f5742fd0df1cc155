package haproxy

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// TestAttrdThatHangsPilesUpNothing: neither attrd_updater nor what it has started is left behind,
// and a monitor that has many values to publish waits for the cluster once.
func TestAttrdThatHangsPilesUpNothing(t *testing.T) {
	w := newWorld(t)
	w.r.Env["OCF_RESKEY_CRM_meta_on_node"] = "lb-1"
	w.write("attrd_updater", fmt.Sprintf("#!/bin/sh\necho $$ >>%[1]s\nsleep 1000 &\necho $! >>%[1]s"+
		"\nwait\n", w.path("pids")))
	pids := func() (all []int) {
		text, _ := os.ReadFile(w.path("pids"))
		for word := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(word)
			require.NoError(t, err)
			all = append(all, pid)
		}
		return all
	}
	t.Cleanup(func() {
		for _, pid := range pids() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	w.want(ocf.Success, w.r.Start())
	w.eventually("attrd_updater was run, and more than once", func() bool {
		w.want(ocf.Success, w.r.Monitor(0))
		return len(pids()) >= 4
	})
	w.eventually("none of its processes is left", func() bool {
		return !slices.ContainsFunc(pids(), func(pid int) bool {
			v, err := procfs.Default.Stat(pid)
			return err == nil && !v.Dead()
		})
	})

	in := w.instance()
	in.Tools = fakeTools(w.dir)
	values := map[string]string{}
	for i := range 20 {
		values[strconv.Itoa(i)] = contract.CheckOK
	}
	began := time.Now()
	require.Error(t, in.PublishChecks(t.Context(), contract.ResourceOf("test"), values, nil, ""))
	require.Less(t, time.Since(began), 5*time.Second)
}
