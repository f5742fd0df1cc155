package haproxy

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// examiner installs a `hawser` that notes how it was called, and then hangs.
func (w *world) examiner() {
	w.write("hawser", fmt.Sprintf("#!/bin/sh\nread -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ nice _ "+
		"</proc/self/stat\necho \"$* nice=$nice pid=$$ rundir=$HAWSER_RUNDIR\" >>%s\nexec sleep "+
		"1000\n", w.path("examined")))
}

func (w *world) examined() string {
	text, _ := os.ReadFile(w.path("examined"))
	return strings.TrimSpace(string(text))
}

// The keeper has its node checked, with the lowest priority. A check that hangs does not disturb
// it, and ends with it.
func TestKeeperHasItsNodeExamined(t *testing.T) {
	w := newKeptWorld(t)
	w.examiner()
	w.guarded()
	require.Eventually(t, func() bool {
		return strings.Contains(w.examined(), "rundir=")
	}, time.Minute, 10*time.Millisecond, "the node is looked at")
	var pid int
	_, err := fmt.Sscanf(w.examined(),
		"doctor --tell nice=19 pid=%d rundir="+w.instance().Dir[:strings.LastIndex(w.instance().Dir,
			"/")], &pid)
	require.NoError(t, err, w.examined())

	before := w.state().Master
	require.NoError(t, syscall.Kill(before.PID, syscall.SIGKILL))
	w.eventually("HAProxy is back", func() bool {
		s := w.state()
		return s.Master != before && s.Master.PID != 0 && w.get() == nil
	})

	keeper, standby := w.keepers()
	// or it would take the keeper's place
	require.NoError(t, syscall.Kill(standby[0], syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(standby[0], syscall.SIGKILL) })
	require.NoError(t, syscall.Kill(keeper[0], syscall.SIGKILL))
	w.eventually("the look ends with the keeper", func() bool {
		v, err := procfs.Default.Stat(pid)
		return err != nil || v.Dead()
	})
}
