package floatip_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/floatip/floatiptest"
	"github.com/hawser-ha/hawser/agents/floatip/lan"
	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

// watched is an address on a machine that a watcher watches.
type watched struct {
	*ocftest.Resource
	lan      *floatiptest.LAN
	machine  *floatiptest.Machine
	programs string // crm_mon, crm_resource, and what the latter was asked
	ended    chan error
	calm     time.Duration
	open     func(nic string, prefix int, node string) floatip.Provider
}

const managedHere = `<pacemaker-result><resources><resource id="test" managed="%s">` +
	`<node name="lb-1"/></resource></resources></pacemaker-result>`

func watch(t *testing.T, calm time.Duration) *watched {
	w := &watched{lan: floatiptest.NewLAN(t), programs: t.TempDir()}
	w.machine = w.lan.Add(t, "192.0.2.1/24")
	open := func(nic string, prefix int, node string) floatip.Provider {
		return w.machine.On(t, lan.Config{Node: node, NIC: nic, Prefix: prefix,
			ConflictWait: 5 * time.Millisecond})
	}
	w.Resource = ocftest.New(t, func() *ocf.Agent { return floatip.NewLAN(short, open) },
		map[string]string{"ip": "192.0.2.10", "provider": "lan"})
	w.manage(t, "true")
	w.script(t, "crm_resource", `echo "$@" >>`+w.programs+"/asked\n")
	expect(t, w.Start(), ocf.Success, "")

	w.open, w.calm = open, calm
	w.again(t)
	return w
}

// again starts a watcher.
func (w *watched) again(t *testing.T) {
	w.ended = make(chan error, 1)
	var changes *nic.Changes
	w.machine.Do(t, func() {
		var err error
		changes, err = nic.NewChanges(nic.Links | nic.Addresses)
		require.NoError(t, err)
	})
	env := map[string]string{"OCF_RESOURCE_INSTANCE": "test", "HAWSER_RUNDIR": w.RunDir(),
		"OCF_RESKEY_CRM_meta_on_node": "lb-1", "OCF_RESKEY_ip": "192.0.2.10",
		"OCF_RESKEY_provider": "lan", "HA_LOGFILE": filepath.Join(w.programs, "log")}
	watcher := floatip.Watcher(func(name string) string { return env[name] }, w.programs, changes,
		w.open)
	watcher.Calm(w.calm)
	ctx, cancel := context.WithCancel(t.Context())
	ended := w.ended
	go func() {
		defer close(ended)
		ended <- watcher.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		for range ended {
		}
		changes.Close()
	})
	require.Eventually(t, func() bool { return floatip.Watching(w.dir()) == os.Getpid() },
		5*time.Second, time.Millisecond)
}

func (w *watched) dir() string { return filepath.Join(w.RunDir(), "test") }

func (w *watched) script(t *testing.T, name, text string) {
	path := filepath.Join(w.programs, name)
	require.NoError(t, os.WriteFile(path+".new", []byte("#!/bin/sh\n"+text), 0o700))
	require.NoError(t, os.Rename(path+".new", path))
}

func (w *watched) manage(t *testing.T, managed string) {
	w.script(t, "crm_mon", "echo x >>"+w.programs+"/looked; cat <<'E'\n"+
		fmt.Sprintf(managedHere, managed)+"\nE\n")
}

// asked is what Pacemaker was told.
func (w *watched) asked() string {
	text, _ := os.ReadFile(filepath.Join(w.programs, "asked"))
	return string(text)
}

func (w *watched) logged() string {
	text, _ := os.ReadFile(filepath.Join(w.programs, "log"))
	return string(text)
}

// ends waits until the watcher has ended by itself.
func (w *watched) ends(t *testing.T) {
	t.Helper()
	select {
	case err := <-w.ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.FailNow(t, "it still watches", w.logged())
	}
}

func (w *watched) address(t *testing.T, change func(netlink.Link, *netlink.Addr) error) {
	t.Helper()
	w.machine.Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		addr, err := netlink.ParseAddr("192.0.2.10/24")
		require.NoError(t, err)
		require.NoError(t, change(link, addr))
	})
}

const failed = "--fail -r test -N lb-1\n"

// TestWatcherReportsAnAddressThatIsTakenAway: nobody waits for the next monitor.
func TestWatcherReportsAnAddressThatIsTakenAway(t *testing.T) {
	w := watch(t, 0)
	w.address(t, netlink.AddrDel)
	w.ends(t)
	require.Equal(t, failed, w.asked())
	require.Contains(t, w.logged(), "192.0.2.10 was here and no longer is")
	require.Contains(t, w.logged(), "reported to Pacemaker as a failure")
	expect(t, w.Stop(), ocf.Success, "")
}

func TestWatcherReportsALinkThatIsDown(t *testing.T) {
	w := watch(t, 0)
	w.lan.Unplug(t, w.machine)
	w.ends(t)
	require.Equal(t, failed, w.asked())
	require.Contains(t, w.logged(), "192.0.2.10 cannot serve: eth0 has no carrier")
}

// TestWatcherEndsWithAStop: what a stop takes away is no failure.
func TestWatcherEndsWithAStop(t *testing.T) {
	w := watch(t, 0)
	expect(t, w.Stop(), ocf.Success, "")
	w.ends(t)
	require.Empty(t, w.asked())
	require.Zero(t, floatip.Watching(w.dir()))
}

// TestWatcherLeavesAMomentsAbsenceAlone: what was put back at once is reported by nobody.
func TestWatcherLeavesAMomentsAbsenceAlone(t *testing.T) {
	w := watch(t, 0)
	w.address(t, func(link netlink.Link, addr *netlink.Addr) error {
		if err := netlink.AddrDel(link, addr); err != nil {
			return err
		}
		return netlink.AddrAdd(link, addr)
	})
	expect(t, w.Monitor(0), ocf.Success, "")
	w.address(t, netlink.AddrDel)
	w.ends(t)
	require.Equal(t, failed, w.asked(), "once")
}

// TestWatcherInMaintenance: what the cluster does not manage is not reported until it does.
func TestWatcherInMaintenance(t *testing.T) {
	w := watch(t, 0)
	w.manage(t, "false")
	w.address(t, netlink.AddrDel)
	require.Eventually(t, func() bool {
		return strings.Contains(w.logged(), "nothing is done about it, since Pacemaker does not manage it here")
	}, 10*time.Second, 10*time.Millisecond)
	require.Empty(t, w.asked())
	w.manage(t, "true")
	w.ends(t)
	require.Equal(t, failed, w.asked())
}

// TestWatcherWithoutPacemaker goes on until somebody hears it.
func TestWatcherWithoutPacemaker(t *testing.T) {
	w := watch(t, 0)
	w.script(t, "crm_resource", "echo no cluster >&2; exit 102\n")
	w.address(t, netlink.AddrDel)
	require.Eventually(t, func() bool {
		return strings.Contains(w.logged(), "that could not be reported: ") &&
			strings.Contains(w.logged(), "no cluster")
	}, 10*time.Second, 10*time.Millisecond)
	w.script(t, "crm_resource", `echo "$@" >>`+w.programs+"/asked\n")
	w.ends(t)
	require.Equal(t, failed, w.asked())
}

// TestWatcherAfterAReport: where a network manager takes the address away each time, Pacemaker's own
// monitors are often enough.
func TestWatcherAfterAReport(t *testing.T) {
	w := watch(t, time.Hour)
	w.address(t, netlink.AddrDel)
	w.ends(t)
	require.Equal(t, failed, w.asked())
	expect(t, w.Stop(), ocf.Success, "")
	expect(t, w.Start(), ocf.Success, "")
	w.again(t)
	w.address(t, netlink.AddrDel)
	expect(t, w.Monitor(0), ocf.NotRunning, "")
	// The monitor has noted that it is away: there is nothing to watch any more.
	w.address(t, netlink.AddrAdd)
	w.address(t, netlink.AddrDel)
	w.ends(t)
	require.Equal(t, failed, w.asked(), "nothing was added to it")
}

// TestOneWatcher: a second one goes when the first one stays.
func TestOneWatcher(t *testing.T) {
	w := watch(t, 0)
	env := map[string]string{"OCF_RESOURCE_INSTANCE": "test", "HAWSER_RUNDIR": w.RunDir(),
		"OCF_RESKEY_ip": "192.0.2.10", "OCF_RESKEY_provider": "lan"}
	second := floatip.Watcher(func(name string) string { return env[name] }, w.programs, nil, nil)
	require.NoError(t, second.Run(t.Context()))
	require.Equal(t, os.Getpid(), floatip.Watching(w.dir()))
}

// TestWatcherLeavesABlinkingLinkAlone: a link that is back within a moment was never gone. On a busy
// machine a moment takes longer now and then, and is no moment.
func TestWatcherLeavesABlinkingLinkAlone(t *testing.T) {
	for range 20 {
		blinked := false
		passed := t.Run("blink", func(t *testing.T) {
			w := watch(t, 0)
			began := time.Now()
			w.lan.Unplug(t, w.machine)()
			if blinked = time.Since(began) <= 100*time.Millisecond; !blinked {
				return
			}
			// What is lost now, and reported, is what comes next.
			w.address(t, netlink.AddrDel)
			w.ends(t)
			require.Equal(t, failed, w.asked())
			require.NotContains(t, w.logged(), "has no carrier")
		})
		if blinked || !passed {
			return
		}
	}
	t.Fatal("none of 20 links was back within 100 ms: this machine is too busy for the test")
}

// TestStartWithoutCarrier: it fails at once, so that Pacemaker goes on to the next node, and takes the
// address to no interface that cannot serve.
func TestStartWithoutCarrier(t *testing.T) {
	w := watch(t, 0)
	w.lan.Unplug(t, w.machine)
	w.ends(t)
	expect(t, w.Stop(), ocf.Success, "")
	began := time.Now()
	expect(t, w.Start(), ocf.ErrGeneric, "has no carrier")
	require.Less(t, time.Since(began), 2*time.Second, "it does not try again")
	expect(t, w.Monitor(0), ocf.NotRunning, "")
	expect(t, w.Stop(), ocf.Success, "")
}
