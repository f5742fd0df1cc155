package keeper

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/strangers"
	"github.com/hawser-ha/hawser/agents/haproxy/wellness"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// plainAgent is a resource agent with HAProxy's program as its only parameter.
type plainAgent struct{ instance.Settings }

func (a *plainAgent) Declare() *ocf.Agent {
	return &ocf.Agent{Name: "haproxy", LogName: "test", Version: "1",
		Params: []ocf.Param{{Name: contract.ParamBinpath, Short: "x", Long: "x",
			Value: param.Path(&a.Binpath, contract.DefaultBinpath)}}}
}

func (a *plainAgent) Instance(dir string) *instance.Instance {
	system := instance.ThisSystem("1")
	system.Systemd = instance.Systemd{Booted: func() bool { return false },
		Settings: func(context.Context, string) (systemd.Settings, bool, error) {
			return systemd.Settings{}, false, systemd.ErrAbsent
		}}
	return &instance.Instance{Files: contract.Files{Dir: dir}, Settings: a.Settings, System: system}
}

func (a *plainAgent) Checks() []param.Check { return nil }

func (*plainAgent) Counter(*instance.Instance, contract.ResourceID) *wellness.Counter {
	return &wellness.Counter{}
}

// A HAProxy whose program is not called haproxy is not taken for somebody else beside itself.
func TestHAProxyByAnotherNameIsNoIntruder(t *testing.T) {
	needs.Root(t)
	dir, err := os.MkdirTemp("", "hk") //nolint:usetesting // its path can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, err := os.ReadFile(needs.Command(t, "haproxy"))
	require.NoError(t, err)
	balancer := filepath.Join(dir, "balancer")
	require.NoError(t, os.WriteFile(balancer, program, 0o755))
	files := contract.FilesOf(filepath.Join(dir, "run"), "test")
	require.NoError(t, os.MkdirAll(files.Dir, 0o700))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	config := filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "defaults\n\ttimeout client 5s\n\ttimeout server 5s\n"+
		"\ttimeout connect 5s\nlisten a\n\tbind %s\n\tbind %s\n", addr, addr), 0o600))

	k := &keeper{agent: func() Agent { return &plainAgent{} }, in: (&plainAgent{}).Instance(files.Dir)}
	require.NoError(t, os.WriteFile(files.KeeperCall(), []byte(strings.Join([]string{
		"OCF_RESKEY_binpath=" + balancer, "OCF_RESOURCE_INSTANCE=test",
		"HAWSER_RUNDIR=" + files.RunDir()}, "\x00")), 0o600))
	_, bound := k.call(t.Context())
	require.NotNil(t, bound)
	out, err := exec.Command(balancer, "-W", "-D", "-f", config, "-S", bound.MasterArg()).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() {
		fam, err := bound.Find()
		require.NoError(t, err)
		fam.Signal(syscall.SIGKILL)
	})
	var own map[uint64]bool
	var fam instance.Family
	require.Eventually(t, func() bool {
		fam, err = bound.Find()
		require.NoError(t, err)
		_, own, err = strangers.Bound(fam.PIDs())
		return err == nil && len(fam.Others) == 1 && len(own) == 2
	}, 10*time.Second, 10*time.Millisecond, "%s %v", fam, own)

	// as it is after a reload with another socket, until the keeper has that one too
	delete(own, slices.Max(slices.Collect(maps.Keys(own))))
	require.NoError(t, k.intruder(t.Context(), own))
	stranger := k.in.Intruder(own)
	require.True(t, instance.IsIntruder(stranger), "this test would not notice: %v", stranger)

	require.NoError(t, os.Remove(files.KeeperCall()))
	require.ErrorIs(t, k.intruder(t.Context(), own), errUnbound, "unknown is neither yes nor no")
	require.NoError(t, k.in.NoteBeside(errUnbound))
	require.NoFileExists(t, files.Beside())
}
